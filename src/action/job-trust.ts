/**
 * Decides by the rules of `start-rules.ts` whether a job may start, and which commit its manifest is read from. Only GitHub's
 * API counts for an account's permission: `author_association` in a payload does not show write access. Without an answer
 * from the API, the job is refused.
 * https://docs.github.com/en/actions/reference/security/secure-use
 */
import { describeFailure } from "../core/failures.ts";
import type { Result } from "../core/result.ts";
import type { TrustLevel } from "../core/trust-level.ts";
import type { EventCause, PullContext, WorkflowContext } from "../core/workflow-context.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import { pullRequestEvents, type Starter, type StartRule, starterOf, startRules } from "./start-rules.ts";

/** Queries to GitHub's API. */
export interface TrustQuestions {
  /** `admin`, `write`, `read` or `none`. */
  permissionOf(login: string): Promise<Result<string>>;
  pull(number: number): Promise<Result<PullContext>>;
}

export type Trust = (Trusted & { readonly kind: "trusted" }) | Refused;

export interface Trusted {
  readonly context: WorkflowContext;
  /** `fork`: code or artifacts of another repository may reach the job, so its state must not serve jobs of level `own`. */
  readonly level: TrustLevel;
  /** The commit that the manifest and its files are read from; undefined if they are read from the checkout. */
  readonly manifestFrom?: string;
}

/** `why` and `hint` are sentences without a full stop; `hint` names what would change the decision. */
interface Refused {
  readonly kind: "refused";
  readonly why: string;
  readonly hint: string;
}

export interface TrustRequest {
  readonly inputs: Pick<JobInputs, "allowPullRequestTarget" | "trustedBots">;
  readonly context: WorkflowContext;
  readonly cause: EventCause;
  /** Undefined if the job has no token. */
  readonly questions?: TrustQuestions;
}

const tokenHint = "leave `github-token` at its default";

export async function judgeTrust(request: TrustRequest): Promise<Trust> {
  const { context, cause } = request;
  const { eventName } = context;
  const rule = startRules[eventName];
  const starter = starterOf(eventName, cause.action);
  if (rule === undefined || starter === undefined) {
    return refused(`Wave has no rule for the event \`${eventName}\``, "start the job with an event listed in docs/workflows.md");
  }
  const refusal = await refusalBy(starter, request);
  if (refusal !== undefined) return refusal;
  const pull = await pullOf(request);
  if ("kind" in pull) return pull;
  const complete = pull.pull === undefined ? context : { ...context, pull: pull.pull };
  return { kind: "trusted", context: complete, ...sourceOf(rule, complete, cause) };
}

function sourceOf(rule: StartRule, { sha, pull }: WorkflowContext, { run }: EventCause): Omit<Trusted, "context"> {
  if (rule.start === "cause" && !isOwnCause(run)) return { level: "fork", manifestFrom: sha };
  if (rule.manifest === "checkout" || pull?.fromFork === false) return { level: "own" };
  return { level: "fork", manifestFrom: rule.manifest === "base" && pull !== undefined ? pull.baseSha : sha };
}

async function refusalBy(starter: Starter, request: TrustRequest): Promise<Refused | undefined> {
  const { inputs, context, cause } = request;
  switch (starter) {
    case "repository":
    case "pull-request":
      return undefined;
    case "sender":
    case "person":
      return refusedAccount(request, starter, [context.actor, cause.sender]);
    case "author":
      return refusedAccount(request, starter, [context.actor, cause.sender, cause.author]);
    case "opt-in":
      return inputs.allowPullRequestTarget ? undefined : notAllowed("`pull_request_target`");
    case "cause":
      if (cause.run === undefined) return refused("the event does not describe the workflow run that it follows", "run the job again");
      return inputs.allowPullRequestTarget || isOwnCause(cause.run)
        ? undefined
        : notAllowed(`\`workflow_run\` after ${cause.run.fromFork ? "a fork's" : "an event such as"} \`${cause.run.event}\``);
    case "never":
      return refused(`\`${context.eventName}\`${actionText(cause)} cannot start a job`, "start the job with another event or action");
  }
}

/** Whether the preceding workflow run was started by this repository: not from a fork, and by a trusted event. */
function isOwnCause(run: EventCause["run"]): boolean {
  if (run === undefined || run.fromFork) return false;
  const starter = starterOf(run.event, undefined);
  return starter === "repository" || starter === "pull-request";
}

function notAllowed(event: string): Refused {
  return refused(
    `${event} provides secrets and a write token to a job for changes by accounts without write access`,
    "use `pull_request`, or set `allow-pull-request-target: true` if the job never executes files of the pull request",
  );
}

function actionText({ action }: EventCause): string {
  return action === undefined ? "" : ` with the action \`${action}\``;
}

/** Refuses unless each of the accounts may write to the repository. */
async function refusedAccount(
  request: TrustRequest,
  starter: Starter,
  logins: readonly (string | undefined)[],
): Promise<Refused | undefined> {
  for (const login of new Set(logins)) {
    const refusal = login?.endsWith("[bot]") === true ? refusedBot(request, starter, login) : await refusedPerson(request, login);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** For logins with `[bot]`, which only GitHub apps have. */
function refusedBot({ inputs, context }: TrustRequest, starter: Starter, login: string): Refused | undefined {
  const why = `the \`${context.eventName}\` event was caused by ${login}, and bots cannot start a job`;
  if (starter === "person") return refused(`${why} with this event`, "start the job with another event");
  return inputs.trustedBots.includes(login) ? undefined : refused(why, "name the bot in `trusted-bots` to allow it");
}

async function refusedPerson({ context, questions }: TrustRequest, login: string | undefined): Promise<Refused | undefined> {
  if (login === undefined || login === "") {
    return refused(
      `the \`${context.eventName}\` event does not name every account behind it, or one of them was deleted`,
      "start the job with another event",
    );
  }
  const permission = await questions?.permissionOf(login);
  if (permission === undefined) return refused(`without a token, the permission of ${login} cannot be checked`, tokenHint);
  if (!permission.ok) {
    const { title } = describeFailure(permission.error);
    return refused(`the permission of ${login} cannot be checked: ${title}`, "run the job again");
  }
  if (["write", "maintain", "admin"].includes(permission.value)) return undefined;
  return refused(
    `the \`${context.eventName}\` event was caused by ${login}, who has no write access to this repository`,
    "have an account with write access start the job",
  );
}

async function pullOf({ context, cause, questions }: TrustRequest): Promise<{ readonly pull?: PullContext } | Refused> {
  if (context.pull !== undefined) return { pull: context.pull };
  if (pullRequestEvents.has(context.eventName))
    return refused(`the \`${context.eventName}\` event does not describe its pull request`, "run the job again");
  const { commentedPull } = cause;
  if (commentedPull === undefined) return {};
  const pull = await questions?.pull(commentedPull);
  if (pull === undefined) return refused(`without a token, pull request ${commentedPull} cannot be read`, tokenHint);
  if (pull.ok) return { pull: pull.value };
  const { title } = describeFailure(pull.error);
  return refused(`pull request ${commentedPull} cannot be read: ${title}`, "give the job `pull-requests: read`");
}

function refused(why: string, hint: string): Refused {
  return { kind: "refused", why, hint };
}
