/**
 * Whether a job may run, and whose manifest it reads. Events that strangers can cause run nothing of theirs: on a fork's pull request the manifest
 * is the base's, a comment starts a run only for somebody who may write, and `pull_request_target` only where the workflow says so.
 * https://docs.github.com/en/actions/reference/security/secure-use
 */
import { describeFailure } from "../model/describe.ts";
import type { Result } from "../model/result.ts";
import type { PullContext, WorkflowContext } from "../model/workflow-context.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";

/** What trust asks GitHub. */
export interface TrustQuestions {
  /** `admin`, `write`, `read` or `none`. */
  permissionOf(login: string): Promise<Result<string>>;
  pull(number: number): Promise<Result<PullContext>>;
}

export type Trust =
  | {
      readonly kind: "trusted";
      readonly context: WorkflowContext;
      /** The commit that the manifest and its files are read from; absent: the checkout. */
      readonly manifestFrom?: string;
    }
  /** `why`: a sentence; `hint`: what would change it. */
  | { readonly kind: "refused"; readonly why: string; readonly hint: string };

const commentEvents: ReadonlySet<string> = new Set([
  "issue_comment",
  "pull_request_review",
  "pull_request_review_comment",
  "commit_comment",
  "discussion_comment",
]);

export interface TrustRequest {
  readonly inputs: Pick<JobInputs, "allowPullRequestTarget" | "trustedBots">;
  readonly context: WorkflowContext;
  /** The pull request that was commented on, where the event does not describe it. */
  readonly commentedPull?: number;
  /** Absent: there is no token to ask with. */
  readonly questions?: TrustQuestions;
}

export async function judgeTrust({ inputs, context, commentedPull, questions }: TrustRequest): Promise<Trust> {
  if (context.eventName === "pull_request_target" && !inputs.allowPullRequestTarget) {
    return refused(
      "`pull_request_target` gives this job secrets and a token that can write, for changes of people who have neither",
      "use `pull_request`, or set `allow-pull-request-target: true` if the job never executes what the pull request brings",
    );
  }
  if (commentEvents.has(context.eventName)) {
    const stranger = await strangerOf(inputs.trustedBots, context.actor, questions);
    if (stranger !== undefined) return stranger;
  }
  const pull = await pullOf(context, commentedPull, questions);
  if ("kind" in pull) return pull;
  const known = pull.pull === undefined ? context : { ...context, pull: pull.pull };
  return { kind: "trusted", context: known, ...(known.pull?.fromFork === true ? { manifestFrom: known.pull.baseSha } : {}) };
}

/** Refuses whoever may not write to the repository. What cannot be found out counts as no. */
async function strangerOf(bots: readonly string[], actor: string, questions: TrustQuestions | undefined): Promise<Trust | undefined> {
  if (actor.endsWith("[bot]")) {
    if (bots.includes(actor)) return undefined;
    return refused(`the comment is by ${actor}, and comments of bots start no run`, `name it in \`trusted-bots\` if it may`);
  }
  const permission = await questions?.permissionOf(actor);
  if (permission === undefined) return refused("there is no token to find out who commented", "leave `github-token` as it is by default");
  if (!permission.ok)
    return refused(`whether ${actor} may write could not be found out: ${describeFailure(permission.error).title}`, "run the job again");
  if (["write", "maintain", "admin"].includes(permission.value)) return undefined;
  return refused(`the comment is by ${actor}, who may not write to this repository`, "somebody who may can comment the same");
}

async function pullOf(
  context: WorkflowContext,
  commented: number | undefined,
  questions: TrustQuestions | undefined,
): Promise<{ readonly pull?: PullContext } | Trust> {
  if (context.pull !== undefined || commented === undefined) return context.pull === undefined ? {} : { pull: context.pull };
  const pull = await questions?.pull(commented);
  if (pull === undefined) return refused("there is no token to look at the pull request with", "leave `github-token` as it is by default");
  if (pull.ok) return { pull: pull.value };
  return refused(
    `pull request ${commented} could not be looked at: ${describeFailure(pull.error).title}`,
    "give the job `pull-requests: read`",
  );
}

function refused(why: string, hint: string): Trust {
  return { kind: "refused", why, hint };
}
