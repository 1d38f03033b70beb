/**
 * One comment for each pull request and key, kept up to date. A mark identifies it, and only a comment of the token's own account counts, since every
 * user can copy the mark. GitHub does not compare before it writes, so what was written is read again: of two jobs that write at the same moment, one
 * overwrites the other.
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
  /** A heading; none by default. */
  readonly title?: string;
  readonly parts: readonly (string | Part)[];
  /** Markdown below the parts, of at most 1,000 characters; never cut. Names the commit. */
  readonly footer?: string;
}

export interface StickyComment extends StickyContent {
  /** Identifies the comment among those that Wave keeps on the pull request: `result:review`, `artifact:summary`. */
  readonly key: string;
  /** Whether the results of earlier attempts and workflow runs stay, folded. */
  readonly folds: boolean;
  /** Set if other jobs may write the same section. */
  readonly shared?: SharedContent;
}

/** Content that jobs make together. */
export interface SharedContent {
  /** Adds this job's part to what is known. `states`: those of all sections, newest first. The result is the same for any order of jobs. */
  readonly merge: (states: readonly string[]) => StickyContent & { readonly state: string };
  readonly clock: Pick<Clock, "sleep">;
  /** Whether to read once more after `settleMs`: another job that had read before may write after. */
  readonly settles: boolean;
}

/** How often a section is written until it stays, and milliseconds from reading it whole to reading it once more. */
const limits = { writes: 6, settleMs: 1500 } as const;

type Target = Pick<WorkflowContext, "runId" | "runAttempt">;

/** Writes or updates it. Fails with `github-failed`. `url` is empty if nothing was written. */
export async function writeSticky(
  github: GitHub,
  context: Target,
  issue: number,
  comment: StickyComment,
): Promise<Result<{ readonly url: string }>> {
  let url = "";
  let isSettled = comment.shared?.settles !== true;
  for (let writes = 0; ; ) {
    const found = await commentsOf(github, issue, comment.key);
    if (!found.ok) return found;
    const bodies = found.value.map(({ body }) => body);
    const body = bodyOf(context, comment, bodies);
    const [first, ...copies] = found.value;
    if (first !== undefined && isWritten(context, first.body, body, writes > 0)) {
      // Two jobs that found no comment have each created one. What the later ones contain is in the first one now.
      for (const { id } of copies) await github.deleteComment(id);
      if (isSettled || comment.shared === undefined) return ok({ url });
      isSettled = true;
      await comment.shared.clock.sleep(limits.settleMs);
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

/** Whether a comment's body is `wanted`. In one that was written before, jobs may differ in wording, so that only what they know counts. */
function isWritten({ runId, runAttempt }: Target, body: string, wanted: string, wasWritten: boolean): boolean {
  if (!wasWritten) return body === wanted;
  const own = { workflowRun: runId, attempt: runAttempt };
  const [is, shouldBe] = [body, wanted].map((one) => readSections(one).find((section) => compareAttempts(section, own) === 0));
  return is !== undefined && is.state === shouldBe?.state;
}

/** The newest sections first; of those of the same attempt the first one. */
function distinct(sections: readonly CommentSection[]): readonly CommentSection[] {
  const first = sections.filter((one, index) => sections.findIndex((other) => compareAttempts(one, other) === 0) === index);
  return first.sort((a, b) => compareAttempts(b, a));
}

/** Comments with this key that are Wave's own, the oldest first. */
async function commentsOf(github: GitHub, issue: number, key: string): Promise<Result<readonly IssueComment[]>> {
  const listed = await github.listComments(issue);
  if (!listed.ok) return listed;
  return ok(listed.value.filter(({ body, isOwn }) => isOwn && hasMark(body, key)).sort((a, b) => a.id - b.id));
}

/** The body with this attempt's section, given the bodies of the comments that are there. */
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

/** The footer that names the commit that was run, and the pull request's if that is another. */
export function commitFooter(commit: RunCommit): string {
  const other = otherCommitText(commit);
  return other === undefined ? `Commit ${inlineCode(shortCommit(commit.ran ?? commit.expected))}` : `⚠️ ${plainText(other)}.`;
}
