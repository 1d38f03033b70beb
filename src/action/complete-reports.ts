/** Completes in `post` what the job itself could not report: checks of a job that was cut off, and a job that a bug has ended. */

import { getState } from "@actions/core";
import { defined } from "../core/defined.ts";
import type { GitHub } from "../core/github.ts";
import { lazyGitHub } from "../github/client/lazy-client.ts";
import type { OpenCheck } from "../github/report/check-runs.ts";
import { systemClock } from "../platform/clock.ts";
import type { NamedProject } from "./pipeline-name.ts";
import type { EndedJob, NotedEnd } from "./report-broken.ts";

/** A check that stays in progress would keep a required check waiting for ever. Never rejects. */
export async function completeReports(job: EndedJob): Promise<void> {
  const broken = noted<NotedEnd>("broken");
  const reports = noted<NamedProject>("reports");
  const open = noted<readonly OpenCheck[]>("checks") ?? [];
  const github = gitHubOf(job);
  if (broken !== undefined && reports !== undefined) {
    const check = noted<number>("check");
    const { reportBroken } = await import("./report-broken.ts");
    return reportBroken({ ...job, ...defined({ github }) }, broken, reports, check);
  }
  if (github === undefined) return;
  for (const { id, head, verdict } of open) {
    if (id !== undefined) await github.updateCheck(id, verdict ?? cutOff);
    else if (verdict !== undefined) await writeVerdict(github, head, verdict);
  }
}

/** `main` could not create the check, or got no answer: then it is there. */
async function writeVerdict(github: GitHub, head: OpenCheck["head"], verdict: NonNullable<OpenCheck["verdict"]>): Promise<void> {
  const listed = await github.listChecks(head.headSha, head.name);
  if (!listed.ok) return;
  const found = listed.value.find(({ externalId }) => externalId === head.externalId);
  if (found === undefined) await github.createCheck({ ...head, ...verdict });
  else await github.updateCheck(found.id, verdict);
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

function noted<T>(name: string): T | undefined {
  const text = getState(name);
  return text === "" ? undefined : (JSON.parse(text) as T);
}
