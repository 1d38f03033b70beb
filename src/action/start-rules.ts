/**
 * The accounts that may start a job with an event, the manifest that the job uses, and its secrets and tokens. One row per
 * event that can start a workflow; an event without a row starts no job. `docs/workflows.md` prints this table.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
 */

/**
 * - `repository`: GitHub lets only accounts with write access cause the event, so Wave verifies no account.
 * - `pull-request`: every account; GitHub restricts the job of a fork.
 * - `sender`: the account that caused the event has write access, or is one of `trusted-bots`.
 * - `person`: the same without `trusted-bots`.
 * - `author`: the author of the text as well as the account that caused the event.
 * - `opt-in`: no account, unless `allow-pull-request-target` is set.
 * - `cause`: as for the event of the preceding workflow run: `opt-in`, unless that event has `repository` or is a pull request
 *   of this repository.
 * - `never`: no account.
 */
export type Starter = "repository" | "pull-request" | "sender" | "person" | "author" | "opt-in" | "cause" | "never";

export interface StartRule {
  readonly start: Starter;
  /** Actions of the event that another account may start. The action `deleted` starts nothing, whatever the event. */
  readonly actions?: Readonly<Record<string, Starter>>;
  /**
   * - `checkout`: the files of the checkout.
   * - `base`: the base commit of a fork's pull request; `event-commit` without a pull request; otherwise the checkout.
   * - `event-commit`: the commit `GITHUB_SHA`, which the workflow file comes from, whatever the workflow checked out.
   */
  readonly manifest: "checkout" | "base" | "event-commit";
  /** `restricted`: for forks, GitHub passes no secrets and a token that cannot write. `full`: those that the workflow passes. */
  readonly access: "full" | "restricted";
}

const repository: StartRule = { start: "repository", manifest: "checkout", access: "full" };
/** The workflow may check out the commit of the event, which may be a fork's. */
const sender: StartRule = { start: "sender", manifest: "event-commit", access: "full" };
const comment: StartRule = { start: "author", manifest: "base", access: "full" };
const review: StartRule = { start: "author", manifest: "base", access: "restricted" };
/** Both run on the deployed commit, and an app may deploy a fork's. */
const deployment: StartRule = { start: "person", manifest: "checkout", access: "full" };

/** Event, as `GITHUB_EVENT_NAME` spells it → its rule. */
export const startRules: Readonly<Record<string, StartRule>> = {
  branch_protection_rule: repository,
  check_run: sender,
  check_suite: sender,
  commit_comment: { ...comment, manifest: "event-commit" },
  create: repository,
  delete: repository,
  deployment,
  deployment_status: deployment,
  discussion: { ...sender, actions: { created: "author", edited: "author" } },
  discussion_comment: { ...comment, manifest: "event-commit" },
  fork: sender,
  gollum: sender,
  image_version: repository,
  issue_comment: comment,
  issues: { ...sender, actions: { opened: "author", edited: "author" } },
  label: sender,
  merge_group: repository,
  milestone: sender,
  page_build: repository,
  project: sender,
  project_card: sender,
  project_column: sender,
  public: repository,
  pull_request: { start: "pull-request", manifest: "base", access: "restricted" },
  pull_request_comment: comment,
  pull_request_review: review,
  pull_request_review_comment: review,
  pull_request_target: { start: "opt-in", manifest: "base", access: "full" },
  push: repository,
  registry_package: sender,
  release: repository,
  repository_dispatch: repository,
  schedule: repository,
  status: sender,
  watch: sender,
  // GitHub reports the event of the calling workflow instead.
  workflow_call: { start: "never", manifest: "checkout", access: "full" },
  workflow_dispatch: repository,
  workflow_run: { start: "cause", manifest: "checkout", access: "full" },
};

/** Events whose payload describes the pull request that they are about. */
export const pullRequestEvents: ReadonlySet<string> = new Set([
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "pull_request_target",
]);

/** The rule for an event and its action. Undefined if the event is not in the table. */
export function starterOf(event: string, action: string | undefined): Starter | undefined {
  const rule = Object.hasOwn(startRules, event) ? startRules[event] : undefined;
  if (rule === undefined) return undefined;
  if (action === "deleted") return "never";
  return action !== undefined && rule.actions !== undefined && Object.hasOwn(rule.actions, action) ? rule.actions[action] : rule.start;
}
