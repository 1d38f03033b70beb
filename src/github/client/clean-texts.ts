/** Cleans texts for GitHub: redacts secrets and removes characters that its API or pages reject. All write calls use it. */
import type { CheckOutput, GitHub } from "../../core/github.ts";
import { markdownLine, markdownText } from "../../text/markdown-text.ts";

/** Wraps the client: applies `redact` and `markdownText` to every written text, including paths and marks. */
export function withCleanTexts(github: GitHub, redact: (text: string) => string): GitHub {
  const text = (raw: string) => markdownText(redact(raw));
  const line = (raw: string) => markdownLine(redact(raw));
  const outputOf = ({ title, summary, text: more, annotations }: CheckOutput): CheckOutput => ({
    title: line(title),
    summary: text(summary),
    ...(more === undefined ? {} : { text: text(more) }),
    ...(annotations === undefined
      ? {}
      : {
          annotations: annotations.map((annotation) => ({
            ...annotation,
            path: line(annotation.path),
            message: text(annotation.message),
            ...(annotation.title === undefined ? {} : { title: line(annotation.title) }),
          })),
        }),
  });
  return {
    ...github,
    createCheck: (check) =>
      github.createCheck({ ...check, name: line(check.name), externalId: line(check.externalId), output: outputOf(check.output) }),
    listChecks: (ref, name) => github.listChecks(ref, line(name)),
    updateCheck: (id, { output, ...change }) =>
      github.updateCheck(id, { ...change, ...(output === undefined ? {} : { output: outputOf(output) }) }),
    createComment: (issue, body) => github.createComment(issue, text(body)),
    updateComment: (id, body) => github.updateComment(id, text(body)),
    createReview: (number, review) =>
      github.createReview(number, {
        ...review,
        body: text(review.body),
        comments: review.comments.map((comment) => ({ ...comment, body: text(comment.body) })),
      }),
  };
}
