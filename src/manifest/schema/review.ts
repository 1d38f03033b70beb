/** Schema and types of the pull request review that a step writes. `schema/review.schema.json` is generated from it. */
import { type Static, Type } from "typebox";

const strict = { additionalProperties: false } as const;

const ReviewRemarkSchema = Type.Object(
  {
    path: Type.String({ minLength: 1, description: "File in the pull request, relative to the repository or to the project." }),
    line: Type.Integer({ minimum: 1, description: "Line of the comment; for a range, its last line." }),
    start_line: Type.Optional(Type.Integer({ minimum: 1, description: "First line of a range." })),
    side: Type.Optional(
      Type.Enum(["LEFT", "RIGHT"], {
        description: "Side of the diff: `LEFT` is the file before the change, `RIGHT` the file after it. Defaults to `RIGHT`.",
      }),
    ),
    body: Type.String({ minLength: 1, maxLength: 60_000, description: "Text of the comment, in Markdown." }),
    suggestion: Type.Optional(Type.String({ description: "Replacement for the lines: whole lines, without a trailing line feed." })),
    severity: Type.Optional(Type.Enum(["info", "warning", "error"], { description: "Severity of the problem." })),
  },
  { ...strict, description: "Comment on one or more lines. If they are not part of the diff, the comment is added to the review's body." },
);

export const ReviewSchema = Type.Object(
  {
    body: Type.Optional(Type.String({ maxLength: 60_000, description: "Text of the review above its comments, in Markdown." })),
    comments: Type.Array(ReviewRemarkSchema, { maxItems: 300, description: "Comments on lines. May be empty." }),
  },
  { ...strict, description: "Review of a pull request, for `publish: [{ pr_review: { artifact } }]`." },
);

export type ReviewRemark = Static<typeof ReviewRemarkSchema>;
export type Review = Static<typeof ReviewSchema>;
