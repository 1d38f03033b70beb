/**
 * One comment a pull request and pipeline, kept up to date: a mark in it tells it from all others, and only a comment of the token's own account
 * counts, since every user can copy the mark. What the attempt before said is folded in. Pure, but for the calls that it makes.
 */

import { markdownClosers } from "../text/markdown-code.ts";
import type { GitHub } from "./github.ts";
import { inlineCode, type Part, plainText, withinLimit } from "./markdown.ts";
import { ok, type Result } from "./result.ts";
import { otherCommitText, type RunCommit, shortCommit } from "./run-commit.ts";
import type { WorkflowContext } from "./workflow-context.ts";

export interface StickyComment {
  /** Tells the comment from others that wave keeps on the pull request: `result:review`, `artifact:summary`. */
  readonly key: string;
  /** A heading; absent: none. */
  readonly title?: string;
  readonly parts: readonly (string | Part)[];
  /** Whether what the attempt before said is kept, folded. */
  readonly folds: boolean;
  /** Markdown below the parts, of at most 1,000 characters; never cut. Names the commit. */
  readonly footer?: string;
}

/** GitHub takes 65,536 characters; what is folded gets a quarter of it. */
const limits = { body: 64_000, folded: 16_000 } as const;

/** Writes or updates it. Fails with `github-failed`. */
export async function writeSticky(
  github: GitHub,
  context: Pick<WorkflowContext, "runId" | "runAttempt">,
  issue: number,
  comment: StickyComment,
): Promise<Result<{ readonly url: string }>> {
  const listed = await github.listComments(issue);
  if (!listed.ok) return listed;
  const mark = markOf(comment.key);
  // At its start alone: further down, a comment may quote what a step wrote.
  const before = listed.value.find(({ body, isOwn }) => isOwn && /^.*/.exec(body)?.[0] === mark);
  const body = bodyOf(context, comment, before?.body);
  if (before === undefined) return github.createComment(issue, body);
  if (before.body === body) return ok({ url: "" });
  return github.updateComment(before.id, body);
}

/** Attempt → what it said, in a comment of ours. */
const section = /^<!-- wave:.* -->\n<!-- wave:attempt (\d+)\.(\d+) -->\n([\s\S]*?)\n<!-- wave:end -->/;

export function bodyOf(
  { runId, runAttempt }: Pick<WorkflowContext, "runId" | "runAttempt">,
  { key, title, parts, folds, footer }: StickyComment,
  before: string | undefined,
): string {
  const shown = withinLimit([...(title === undefined ? [] : [`### ${plainText(title)}`]), ...parts], limits.body - limits.folded);
  const now = footer === undefined ? shown : `${shown}\n\n${footer}`;
  // An editor in a browser sends CR LF.
  const earlierBody = before?.replaceAll("\r\n", "\n");
  const known = folds ? section.exec(earlierBody ?? "") : null;
  const [, workflowRun = "", attempt = "", said = ""] = known ?? [];
  const sameRun = Number(workflowRun) === runId;
  const earlier =
    known === null || (sameRun && Number(attempt) === runAttempt)
      ? (foldedIn(earlierBody) ?? "")
      : folded(sameRun ? `Attempt ${attempt}` : `Workflow run ${workflowRun}, attempt ${attempt}`, said);
  return [
    markOf(key),
    `<!-- wave:attempt ${runId}.${runAttempt} -->`,
    now,
    "<!-- wave:end -->",
    ...(earlier === "" || !folds ? [] : [earlier]),
  ].join("\n");
}

/** The footer that names the commit that was run, and the pull request's if that is another. */
export function commitFooter(commit: RunCommit): string {
  const other = otherCommitText(commit);
  return other === undefined ? `Commit ${inlineCode(shortCommit(commit.ran ?? commit.expected))}` : `⚠️ ${plainText(other)}.`;
}

function folded(title: string, said: string): string {
  const text = said.length <= limits.folded - 500 ? said : cutText(said, limits.folded - 500);
  return `<details><summary>${plainText(title)}</summary>\n\n${text}\n\n</details>`;
}

/** The lines that fit, with what they left open closed. */
function cutText(text: string, limit: number): string {
  const kept = text.slice(0, text.lastIndexOf("\n", limit));
  return [kept, ...markdownClosers(kept), "", "…"].join("\n");
}

function foldedIn(before: string | undefined): string | undefined {
  return /<!-- wave:end -->\n(<details><summary>[\s\S]*<\/details>)$/.exec(before ?? "")?.[1];
}

function markOf(key: string): string {
  return `<!-- wave:${key.replaceAll(/[^A-Za-z0-9._:-]/g, "_")} -->`;
}
