/** Ends a job that may not start. The job passes unless `on-refusal: fail` is set, but its check run does not satisfy a required check. */
import { setOutput } from "@actions/core";
import type { GitHub } from "../core/github.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import type { JobLog } from "./job-log.ts";

export interface Refusal {
  /** `why` and `hint` are sentences without a full stop. */
  readonly why: string;
  readonly hint: string;
}

/** Events that a pull request itself causes. */
const ownEvents: ReadonlySet<string> = new Set(["pull_request", "pull_request_target"]);

export interface RefusedJob {
  readonly log: JobLog;
  readonly inputs: Pick<JobInputs, "checks" | "onRefusal">;
  readonly context: WorkflowContext;
  readonly github?: GitHub;
}

/**
 * Reports the refusal in the log and, if the pull request itself caused the event, in a check run on its head. Other events
 * get no check run, because a stranger could otherwise block a commit with a comment or a review. Returns the exit status.
 */
export async function refuse({ log, inputs, context, github }: RefusedJob, { why, hint }: Refusal): Promise<number> {
  setOutput("status", "refused");
  const text = `Nothing was run: ${why}. To change that, ${hint}.`;
  log.notice(text);
  if (inputs.checks !== "none" && context.pull !== undefined && ownEvents.has(context.eventName)) {
    const { owner, repo, serverUrl, runId, runAttempt } = context;
    // An error is ignored: the log has the reason.
    await github?.createCheck({
      name: `wave (${context.job})`,
      headSha: context.pull.headSha,
      externalId: `wave:refused:${runId}:${runAttempt}`,
      detailsUrl: `${serverUrl}/${owner}/${repo}/actions/runs/${runId}/attempts/${runAttempt}`,
      conclusion: "action_required",
      output: { title: "refused: nothing was run", summary: text },
    });
  }
  return inputs.onRefusal === "fail" ? 1 : 0;
}
