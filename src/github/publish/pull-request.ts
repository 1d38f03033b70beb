/** Publishes to a pull request: an updated comment and a review. Wave posts them, so steps need no token. */
import type { Digest } from "../../core/digest.ts";
import type { GitHub, ReviewComment } from "../../core/github.ts";
import type { Publisher, Redactor } from "../../core/ports.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { otherCommitText, type RunCommit } from "../../core/run-commit.ts";
import type { PullContext, WorkflowContext } from "../../core/workflow-context.ts";
import type { ReviewRemark } from "../../manifest/schema/review.ts";
import { inlineCode, type Part, plainText, suggestionBlock, tamedBlock, tamedMarkdown, withinLimit } from "../../text/markdown.ts";
import { commitFooter, writeSticky } from "../sticky-comment.ts";
import { diffLines, isInDiff } from "./diff-lines.ts";
import { type RemarkPlaces, remarkPath } from "./remark-paths.ts";
import { readReview } from "./review-document.ts";

export interface PullPublishRequest {
  readonly github: GitHub;
  readonly context: Pick<WorkflowContext, "runId" | "runAttempt">;
  readonly pull: PullContext;
  /** The commit that the job runs. */
  readonly commit: RunCommit;
  readonly pipeline: string;
  /** The end of the comments' keys, so that other jobs with the same pipeline have their own comments. */
  readonly reportKey: string;
  readonly redactor: Redactor;
  readonly places: RemarkPlaces;
}

/** Maximum length of a review's body, in characters. */
const maxBody = 65_000;

/** `pr_comment`: the artifact's Markdown, one comment per pipeline and artifact. */
export function commentPublisher({ github, context, commit, pull, pipeline, reportKey, redactor }: PullPublishRequest): Publisher {
  return {
    kind: "pr_comment",
    async publish({ name, bytes }) {
      const text = redactor.text(Buffer.from(bytes).toString("utf8")).trim();
      if (text === "") return err({ reason: "publish-refused", artifact: name, detail: "it is empty" });
      const lines: Part = {
        lines: tamedBlock(text).split("\n"),
        rest: (_count, characters) => `… and ${characters} more characters. See the artifact ${inlineCode(name)}.`,
      };
      return writeSticky(github, context, pull.number, {
        key: `artifact:${pipeline}:${name}:${reportKey}`,
        parts: [lines],
        folds: false,
        footer: commitFooter(commit),
      });
    },
  };
}

/** `pr_review`: the artifact's remarks as one review, without approval. The same artifact on the same commit is published once. */
export function reviewPublisher(request: PullPublishRequest): Publisher {
  const { github, commit, pull, pipeline, redactor } = request;
  return {
    kind: "pr_review",
    async publish({ name, digest, bytes }) {
      const review = readReview(redactor.text(Buffer.from(bytes).toString("utf8")));
      if (!review.ok) return err({ reason: "publish-refused", artifact: name, detail: review.error });
      const mark = markOf(pipeline, name, digest, pull.headSha);
      const before = await github.listReviews(pull.number);
      if (!before.ok) return before;
      if (before.value.some(({ body, isOwn }) => isOwn && body.startsWith(mark))) return ok({ url: "" });
      const files = await github.pullFiles(pull.number);
      if (!files.ok) return files;
      const other = otherCommitText(commit);
      const lines = diffLines(files.value);
      const placed = review.value.comments.map((remark) => {
        const comment = commentOf(remark);
        const path = remarkPath(comment, lines, request.places);
        return { remark: { ...remark, path }, comment: { ...comment, path } };
      });
      const inside = placed.filter(({ comment }) => isInDiff(lines, comment));
      const outside = placed.filter(({ comment }) => !isInDiff(lines, comment));
      const body = bodyOf(
        review.value.body ?? "",
        mark,
        other === undefined ? "" : `⚠️ ${plainText(other)}.`,
        outside.map(({ remark }) => remark),
        inside.length,
      );
      if (review.value.comments.length === 0 && (review.value.body ?? "").trim() === "") return ok({ url: "" });
      return write(
        request,
        body,
        inside.map(({ comment }) => comment),
      );
    },
  };
}

/** Creates the review. If GitHub rejects its lines, the remarks are written into the body instead. */
async function write(
  { github, pull }: PullPublishRequest,
  body: string,
  comments: readonly ReviewComment[],
): Promise<Result<{ readonly url: string }>> {
  const written = await github.createReview(pull.number, { commit: pull.headSha, body, comments });
  if (written.ok || comments.length === 0 || written.error.reason !== "github-failed" || written.error.status !== 422) return written;
  const lines = comments.map(({ path, line, body: text }) => `- ${inlineCode(`${path}:${line}`)} ${text}`);
  const part: Part = { lines, rest: (count) => `… and ${count} more.` };
  return github.createReview(pull.number, { commit: pull.headSha, body: withinLimit([body, part], maxBody), comments: [] });
}

const severities = { info: "", warning: "⚠️ ", error: "❌ " } as const;

function commentOf({
  path,
  line,
  side = "RIGHT",
  start_line: startLine,
  body,
  suggestion,
  severity = "info",
}: ReviewRemark): ReviewComment {
  const text = `${severities[severity]}${tamedBlock(body)}`;
  // GitHub supports suggestions only on the new side.
  const block = suggestion === undefined || side === "LEFT" ? [] : [suggestionBlock(suggestion)];
  return { path, line, side, ...(startLine === undefined || startLine === line ? {} : { startLine }), body: [text, ...block].join("\n\n") };
}

function bodyOf(text: string, mark: string, note: string, outside: readonly ReviewRemark[], inside: number): string {
  const folded: Part = {
    lines: outside.flatMap(({ path, line, body, severity = "info" }) => [
      `- ${inlineCode(`${path}:${line}`)} ${severities[severity]}${tamedMarkdown(body).replaceAll("\n", "\n  ")}`,
    ]),
    rest: (count) => `… and ${count} more.`,
  };
  const heading =
    outside.length === 0 ? "" : inside === 0 ? "These lines are not part of the diff:" : "Remarks on lines that are not part of the diff:";
  return withinLimit([mark, note, tamedBlock(text), heading, folded], maxBody);
}

function markOf(pipeline: string, artifact: string, digest: Digest, commit: string): string {
  return `<!-- wave:review:${`${pipeline}:${artifact}`.replaceAll(/[^A-Za-z0-9._:-]/g, "_")}:${digest.slice(7, 23)}:${commit.slice(0, 12)} -->`;
}
