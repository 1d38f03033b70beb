/** A job that may not run: nothing was done, which is neither a success nor, unless the workflow says so, a failure. */
import { setOutput } from "@actions/core";
import type { GitHub } from "../model/github.ts";
import type { WorkflowContext } from "../model/workflow-context.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import type { JobLog } from "./job-log.ts";

export interface Refusal {
  /** Sentences without a stop. */
  readonly why: string;
  readonly hint: string;
}

export interface RefusedJob {
  readonly log: JobLog;
  readonly inputs: Pick<JobInputs, "checks" | "onRefusal">;
  readonly context: WorkflowContext;
  readonly github?: GitHub;
}

/** Says so, and writes a neutral check where the job may. Gives the exit status. */
export async function refuse({ log, inputs, context, github }: RefusedJob, { why, hint }: Refusal): Promise<number> {
  setOutput("status", "refused");
  const text = `Nothing was run: ${why}. To change that, ${hint}.`;
  log.notice(text);
  if (inputs.checks !== "none") {
    const { owner, repo, serverUrl, runId, runAttempt } = context;
    // A job that may not write checks has said all in its log.
    await github?.createCheck({
      name: `wave (${context.job})`,
      headSha: context.pull?.headSha || context.sha,
      externalId: `wave:refused:${runId}:${runAttempt}`,
      detailsUrl: `${serverUrl}/${owner}/${repo}/actions/runs/${runId}/attempts/${runAttempt}`,
      conclusion: "neutral",
      output: { title: "refused: nothing was run", summary: text },
    });
  }
  return inputs.onRefusal === "fail" ? 1 : 0;
}
