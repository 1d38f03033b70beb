/** The GitHub context of a job, read once from the environment and the event. */

/** The pull request of a job. */
export interface PullContext {
  readonly number: number;
  /** The commit that checks are written for. */
  readonly headSha: string;
  /** The commit that a fork's manifest is read from. */
  readonly baseSha: string;
  readonly baseRef: string;
  /** Its head is in another repository, so the token is read-only and there are no secrets. */
  readonly fromFork: boolean;
  /** The login of its author. */
  readonly author: string;
}

/** The comment that triggered a job. */
export interface CommentContext {
  readonly id: number;
  readonly body: string;
  /** The author association: `OWNER`, `MEMBER`, `COLLABORATOR`, `CONTRIBUTOR`, `NONE` … */
  readonly authorAssociation: string;
  readonly author: string;
}

/** The accounts that caused an event, as its payload names them. They decide whether a job may start. */
export interface EventCause {
  /** `created`, `edited` …; undefined for events that have no actions. */
  readonly action?: string;
  /** The login of the account that caused the event. */
  readonly sender?: string;
  /**
   * The login of the original author of the comment, review, issue or discussion; an edit by another account does not
   * change it.
   */
  readonly author?: string;
  /** The pull request that was commented on. */
  readonly commentedPull?: number;
  /** The workflow run that a `workflow_run` event follows. `fromFork`: its commit is another repository's. */
  readonly run?: { readonly event: string; readonly fromFork: boolean };
}

export interface WorkflowContext {
  readonly owner: string;
  readonly repo: string;
  /** `https://api.github.com`, without a slash at the end. */
  readonly apiUrl: string;
  /** `https://github.com`, without a slash at the end. */
  readonly serverUrl: string;
  /** The workflow's name. */
  readonly workflow: string;
  /**
   * The workflow's file in its repository, `.github/workflows/ci.yml`; the workflow's name if GITHUB_WORKFLOW_REF is
   * not set.
   */
  readonly workflowFile: string;
  /** The id of the workflow run; all its attempts have the same. */
  readonly runId: number;
  /** From 1. */
  readonly runAttempt: number;
  /** The job's id in the workflow file; jobs of a matrix share it. */
  readonly job: string;
  /** `pull_request`, `push` … */
  readonly eventName: string;
  /** The login of the account that caused the event. */
  readonly actor: string;
  /** The commit of the event; for a pull request its merge commit. */
  readonly sha: string;
  /** `refs/heads/main`, `refs/pull/7/merge` … */
  readonly ref: string;
  readonly pull?: PullContext;
  readonly comment?: CommentContext;
}
