/** A review of a pull request, as a step writes it: the schema that `schema/review.schema.json` is printed from, and its types. */
import { type Static, Type } from "typebox";

const strict = { additionalProperties: false } as const;

const ReviewRemarkSchema = Type.Object(
  {
    path: Type.String({ minLength: 1, description: "A file of the pull request, relative to the repository or to the project." }),
    line: Type.Integer({ minimum: 1, description: "The line that it is about; the last one, where there are several." }),
    start_line: Type.Optional(Type.Integer({ minimum: 1, description: "The first line, where there are several." })),
    side: Type.Optional(Type.Enum(["LEFT", "RIGHT"], { description: "`LEFT`: the file before the change. Default: `RIGHT`." })),
    body: Type.String({ minLength: 1, maxLength: 60_000, description: "What is to be said, in Markdown." }),
    suggestion: Type.Optional(
      Type.String({ description: "What the lines could be instead; whole lines, without a line feed at the end." }),
    ),
    severity: Type.Optional(Type.Enum(["info", "warning", "error"], { description: "How much it matters." })),
  },
  { ...strict, description: "A remark on some lines. Where they are not part of the diff, it goes into the review's body." },
);

export const ReviewSchema = Type.Object(
  {
    body: Type.Optional(Type.String({ maxLength: 60_000, description: "What stands above the remarks, in Markdown." })),
    comments: Type.Array(ReviewRemarkSchema, { maxItems: 300, description: "The remarks; none are a review that has only a body." }),
  },
  { ...strict, description: "A review of a pull request, for `publish: [{ pr_review: { artifact } }]`." },
);

export type ReviewRemark = Static<typeof ReviewRemarkSchema>;
export type Review = Static<typeof ReviewSchema>;
