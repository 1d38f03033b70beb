/** Completes the job's reports in `post`: checks that an interrupted job left open, and the failure of a crashed one. */

import { getState } from "@actions/core";
import { defined } from "../core/defined.ts";
import type { GitHub } from "../core/github.ts";
import { lazyGitHub } from "../github/client/lazy-client.ts";
import type { OpenCheck } from "../github/report/check-runs.ts";
import { systemClock } from "../platform/clock.ts";
import type { NamedProject } from "./pipeline-name.ts";
import type { EndedJob, SavedError } from "./report-broken.ts";

/** A check that stays in progress would block a required check forever. Never rejects. */
export async function completeReports(job: EndedJob): Promise<void> {
  const broken = saved<SavedError>("broken");
  const reports = saved<NamedProject>("reports");
  const open = saved<readonly OpenCheck[]>("checks") ?? [];
  const github = gitHubOf(job);
  if (broken !== undefined && reports !== undefined) {
    const check = saved<number>("check");
    const { reportBroken } = await import("./report-broken.ts");
    return reportBroken({ ...job, ...defined({ github }) }, broken, reports, check);
  }
  if (github === undefined) return;
  for (const { id, head, verdict } of open) {
    if (id !== undefined) await github.updateCheck(id, verdict ?? cutOff);
    else if (verdict !== undefined) await writeVerdict(github, head, verdict);
  }
}

/** Writes a check whose id is unknown: `main` could not create it, or created it but got no answer. */
async function writeVerdict(github: GitHub, head: OpenCheck["head"], verdict: NonNullable<OpenCheck["verdict"]>): Promise<void> {
  const listed = await github.listChecks(head.headSha, head.name);
  if (!listed.ok) return;
  const existing = listed.value.find(({ externalId }) => externalId === head.externalId);
  if (existing === undefined) await github.createCheck({ ...head, ...verdict });
  else await github.updateCheck(existing.id, verdict);
}

/** For a check without a verdict. */
const cutOff: NonNullable<OpenCheck["verdict"]> = {
  conclusion: "cancelled",
  output: { title: "the job ended before the run did", summary: "It was cancelled or lost. Re-run the job to resume the run." },
};

function gitHubOf({ inputs: { token }, context: { owner, repo, apiUrl }, io, services }: EndedJob): GitHub | undefined {
  const redact = (text: string) => io.secrets.redactor().text(text);
  return token === undefined ? undefined : lazyGitHub({ token, owner, repo, apiUrl, clock: systemClock, redact, health: services.api });
}

function saved<T>(name: string): T | undefined {
  const text = getState(name);
  return text === "" ? undefined : (JSON.parse(text) as T);
}
