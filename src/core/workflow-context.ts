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

/** Which accounts caused an event, as its payload names them. They decide whether a job may start. */
export interface EventCause {
  /** `created`, `edited` …; undefined for events that have no actions. */
  readonly action?: string;
  /** The login of the account that caused the event. */
  readonly sender?: string;
  /** The login of the account that wrote the comment, review, issue or discussion first; an edit by another account does not change it. */
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
  /** The workflow's file in its repository, `.github/workflows/ci.yml`; its name if the runner does not set GITHUB_WORKFLOW_REF. */
  readonly workflowFile: string;
  /** Of the workflow run; the same for all its attempts. */
  readonly runId: number;
  /** From 1. */
  readonly runAttempt: number;
  /** The job's id in the workflow file; it does not tell the jobs of a matrix apart. */
  readonly job: string;
  /** `pull_request`, `push` … */
  readonly eventName: string;
  /** The login of the account that caused the event. */
  readonly actor: string;
  /** The commit that GitHub says the event is about; for a pull request its merge commit. */
  readonly sha: string;
  /** `refs/heads/main`, `refs/pull/7/merge` … */
  readonly ref: string;
  readonly pull?: PullContext;
  readonly comment?: CommentContext;
}
