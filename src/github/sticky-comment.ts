/**
 * Keeps one comment per pull request and key up to date. A mark identifies it; only comments of the token's own account
 * count, because any user can copy the mark. GitHub has no conditional writes, so a written comment is read again: a job
 * that writes at the same time may have overwritten it.
 */
import {
  type CommentSection,
  commentBody,
  compareAttempts,
  hasMark,
  longestComment,
  readSections,
  withSection,
} from "../core/comment-body.ts";
import type { GitHub, IssueComment } from "../core/github.ts";
import type { Clock } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { otherCommitText, type RunCommit, shortCommit } from "../core/run-commit.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import { inlineCode, type Part, plainText, withinLimit } from "../text/markdown.ts";

export interface StickyContent {
  /** The heading. Defaults to none. */
  readonly title?: string;
  readonly parts: readonly (string | Part)[];
  /** Markdown below the parts that names the commit, at most 1,000 characters. Never truncated. */
  readonly footer?: string;
}

export interface StickyComment extends StickyContent {
  /** Identifies the comment among Wave's comments on the pull request: `result:review`, `artifact:summary`. */
  readonly key: string;
  /** Whether to keep the results of earlier attempts and workflow runs, collapsed. */
  readonly folds: boolean;
  /** Set if other jobs may write the same section. */
  readonly shared?: SharedContent;
}

/** Content to which several jobs contribute. */
export interface SharedContent {
  /** Merges this job's result into the states of all sections, newest first. The order of jobs does not matter. */
  readonly merge: (states: readonly string[]) => StickyContent & { readonly state: string };
  readonly clock: Pick<Clock, "sleep">;
  /** Whether to read again after `confirmMs`, because a job that read earlier may write later. */
  readonly confirms: boolean;
}

/** Maximum number of writes, and milliseconds before the comment is read again. */
const limits = { writes: 6, confirmMs: 1500 } as const;

type Target = Pick<WorkflowContext, "runId" | "runAttempt">;

/** Creates or updates the comment. `url` is empty if it is already up to date. Fails with `github-failed`. */
export async function writeSticky(
  github: GitHub,
  context: Target,
  issue: number,
  comment: StickyComment,
): Promise<Result<{ readonly url: string }>> {
  let url = "";
  let isConfirmed = comment.shared?.confirms !== true;
  for (let writes = 0; ; ) {
    const comments = await commentsOf(github, issue, comment.key);
    if (!comments.ok) return comments;
    const bodies = comments.value.map(({ body }) => body);
    const body = bodyOf(context, comment, bodies);
    const [first, ...copies] = comments.value;
    if (first !== undefined && isWritten(context, first.body, body, writes > 0)) {
      // Two jobs may each have created a comment. The first one now contains the results of the others.
      for (const { id } of copies) await github.deleteComment(id);
      if (isConfirmed || comment.shared === undefined) return ok({ url });
      isConfirmed = true;
      await comment.shared.clock.sleep(limits.confirmMs);
      continue;
    }
    if (writes >= limits.writes) return ok({ url });
    writes += 1;
    const written = first === undefined ? await github.createComment(issue, body) : await github.updateComment(first.id, body);
    if (!written.ok) return written;
    url = written.value.url;
    if (comment.shared === undefined) return written;
  }
}

/** Whether a comment is up to date. After a write, compares only the state, because jobs may word it differently. */
function isWritten({ runId, runAttempt }: Target, body: string, wanted: string, wasWritten: boolean): boolean {
  if (!wasWritten) return body === wanted;
  const own = { workflowRun: runId, attempt: runAttempt };
  const [actual, expected] = [body, wanted].map((one) => readSections(one).find((section) => compareAttempts(section, own) === 0));
  return actual !== undefined && actual.state === expected?.state;
}

/** Sorts sections, newest first, and keeps the first one per attempt. */
function distinct(sections: readonly CommentSection[]): readonly CommentSection[] {
  const first = sections.filter((one, index) => sections.findIndex((other) => compareAttempts(one, other) === 0) === index);
  return first.sort((a, b) => compareAttempts(b, a));
}

/** Wave's own comments with this key, oldest first. */
async function commentsOf(github: GitHub, issue: number, key: string): Promise<Result<readonly IssueComment[]>> {
  const listed = await github.listComments(issue);
  if (!listed.ok) return listed;
  return ok(listed.value.filter(({ body, isOwn }) => isOwn && hasMark(body, key)).sort((a, b) => a.id - b.id));
}

/** The comment's body with this attempt's section, merged with the bodies of the existing comments. */
export function bodyOf({ runId, runAttempt }: Target, comment: StickyComment, bodies: readonly string[]): string {
  const own = { workflowRun: runId, attempt: runAttempt };
  const all = bodies.flatMap(readSections);
  const content = comment.shared?.merge(all.map(({ state }) => state)) ?? { ...comment, state: "" };
  const { title, parts, footer, state } = content;
  const below = footer === undefined ? "" : `\n\n${footer}`;
  const room = longestComment - commentBody(comment.key, [{ ...own, state, text: below }]).length;
  const shown = withinLimit([...(title === undefined ? [] : [`### ${plainText(title)}`]), ...parts], room);
  return commentBody(comment.key, withSection(distinct(all), { ...own, state, text: `${shown}${below}` }, comment.folds));
}

/** The footer with the commit that ran, and the pull request's commit if it differs. */
export function commitFooter(commit: RunCommit): string {
  const other = otherCommitText(commit);
  return other === undefined ? `Commit ${inlineCode(shortCommit(commit.ran ?? commit.expected))}` : `⚠️ ${plainText(other)}.`;
}
