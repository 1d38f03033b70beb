/** The port for GitHub's API. Failures are `github-failed`. */
import type { CommitObjects } from "./commit.ts";
import type { Result } from "./result.ts";
import type { PullContext } from "./workflow-context.ts";

/** https://docs.github.com/en/rest/checks/runs; lines start at 1; columns are set only for annotations of one line. */
export interface CheckAnnotation {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly startColumn?: number;
  readonly endColumn?: number;
  readonly level: "notice" | "warning" | "failure";
  readonly title?: string;
  readonly message: string;
}

/** A required check accepts `success`, `neutral` and `skipped`. */
export type CheckConclusion = "success" | "failure" | "neutral" | "cancelled" | "skipped" | "action_required";

/** The content of a check run. At most 50 annotations per call; later calls add to them. */
export interface CheckOutput {
  readonly title: string;
  /** Markdown, at most 65,535 characters, as is `text`. */
  readonly summary: string;
  readonly text?: string;
  readonly annotations?: readonly CheckAnnotation[];
}

export interface NewCheck {
  readonly name: string;
  readonly headSha: string;
  /** An id that Wave chooses. */
  readonly externalId: string;
  readonly detailsUrl: string;
  /** Undefined while it is in progress. */
  readonly conclusion?: CheckConclusion;
  readonly output: CheckOutput;
}

/** The start of every comment and review that Wave writes. */
export const markerStart = "<!-- wave:";

/** A check run as GitHub lists it. */
export interface ListedCheck {
  readonly id: number;
  readonly externalId: string;
  readonly detailsUrl: string;
  readonly isCompleted: boolean;
}

export interface IssueComment {
  readonly id: number;
  readonly body: string;
  /** The author's login. */
  readonly author: string;
  /** Whether it starts with a marker and the account of the job's token wrote it. Only such a comment is updated or trusted. */
  readonly isOwn: boolean;
}

export interface PullFile {
  readonly path: string;
  /** The unified diff of the file, without its header. Undefined for binary and very large files. */
  readonly patch?: string;
}

export interface ReviewComment {
  readonly path: string;
  readonly line: number;
  readonly side: "LEFT" | "RIGHT";
  readonly startLine?: number;
  readonly body: string;
}

/** A workflow run. https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run */
export interface WorkflowRunFacts {
  /** `push`, `pull_request` … */
  readonly event: string;
  readonly repositoryId: number;
  /** Undefined if the repository of its head was deleted. */
  readonly headRepositoryId?: number;
}

export interface GitHub extends CommitObjects {
  createCheck(check: NewCheck): Promise<Result<{ readonly id: number }>>;
  updateCheck(id: number, change: { readonly conclusion?: CheckConclusion; readonly output?: CheckOutput }): Promise<Result<void>>;
  /** All check runs of a commit with this name, of every attempt. */
  listChecks(ref: string, name: string): Promise<Result<readonly ListedCheck[]>>;
  listComments(issue: number): Promise<Result<readonly IssueComment[]>>;
  createComment(issue: number, body: string): Promise<Result<{ readonly url: string }>>;
  updateComment(id: number, body: string): Promise<Result<{ readonly url: string }>>;
  deleteComment(id: number): Promise<Result<void>>;
  pull(number: number): Promise<Result<PullContext>>;
  pullFiles(number: number): Promise<Result<readonly PullFile[]>>;
  /** The bodies of reviews, with their authors. */
  listReviews(number: number): Promise<Result<readonly IssueComment[]>>;
  /** Creates a review that does not approve. */
  createReview(
    number: number,
    review: { readonly commit: string; readonly body: string; readonly comments: readonly ReviewComment[] },
  ): Promise<Result<{ readonly url: string }>>;
  /** `admin`, `write`, `read` or `none`. */
  permissionOf(login: string): Promise<Result<string>>;
  /** Needs `actions: read`, as does `cacheRefs`. */
  workflowRun(id: number): Promise<Result<WorkflowRunFacts>>;
  /** The refs that have a cache entry with exactly this key, among entries of `ref`. */
  cacheRefs(key: string, ref: string): Promise<Result<readonly string[]>>;
}
