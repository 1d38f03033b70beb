/** Parses reviews in the format that agents write. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { diffLines, isInDiff } from "../../../../src/github/publish/diff-lines.ts";
import { readReview } from "../../../../src/github/publish/review-document.ts";
import fc from "../../../rig/property.ts";

const schema = JSON.parse(readFileSync(path.resolve(import.meta.dirname, "../../../../schema/review.schema.json"), "utf8")) as object;

describe("a review", () => {
  it("reports each error with its position", () => {
    const cases: readonly [unknown, string][] = [
      [[], "it must be a map with `comments`"],
      [{ comments: [], verdict: "approve" }, "`verdict` is not a known key"],
      [{ comments: "none" }, "`comments` must be a list"],
      [{ comments: [{ path: "a", line: 0, body: "x" }] }, "comments[0]: `line` must be an integer of at least 1"],
      [{ comments: [{ path: "a", line: 2, start_line: 3, body: "x" }] }, "comments[0]: `start_line` must be an integer from 1 to `line`"],
      [{ comments: [{ path: "a", line: 2, body: "x", side: "left" }] }, "comments[0]: `side` must be LEFT or RIGHT"],
      [{ comments: [{ path: "a", line: 2, body: "" }] }, "comments[0]: `body` must be a text of 1 to 60000 characters"],
    ];
    expect(cases.map(([value]) => readReview(JSON.stringify(value)))).toEqual(cases.map(([, error]) => ({ ok: false, error })));
    expect(readReview("{")).toMatchObject({ ok: false, error: expect.stringMatching(/^it is not JSON: /) });
  });

  it("accepts exactly what the published schema allows", () => {
    const validate = new Ajv({ strict: false }).compile(schema);
    const line = fc.constantFrom(1, 7, 0, -1, 1.5, "1", null);
    const text = fc.constantFrom("", "x", 3, null);
    const remark = fc.record(
      {
        path: text,
        line,
        side: fc.constantFrom("LEFT", "RIGHT", "right"),
        body: text,
        suggestion: text,
        severity: fc.constantFrom("info", "warning", "error", "fatal"),
        extra: fc.constant(1),
      },
      { requiredKeys: ["path", "line", "body"] },
    );
    const review = fc.record(
      { body: text, comments: fc.oneof(fc.array(remark, { maxLength: 2 }), text), extra: fc.constant(1) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(review, (value) => {
        expect(readReview(JSON.stringify(value)).ok).toBe(validate(value));
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});

describe("a diff", () => {
  const lines = diffLines([
    {
      path: "a.js",
      patch:
        "@@ -1,3 +1,4 @@\n one\n-two\n+zwei\n+drei\n three\n@@ -20,2 +21,2 @@ function x\n-old\n+new\n end\n\\ No newline at end of file",
    },
    { path: "b.png" },
  ]);
  const inDiff = (line: number, side = "RIGHT", startLine?: number) =>
    isInDiff(lines, { path: "a.js", line, side, ...(startLine === undefined ? {} : { startLine }) });

  it("has the lines of its hunks, on both sides", () => {
    expect([1, 2, 3, 4, 5, 21, 22, 23].map((line) => inDiff(line))).toEqual([true, true, true, true, false, true, true, false]);
    expect([2, 20, 22].map((line) => inDiff(line, "LEFT"))).toEqual([true, true, false]);
    expect(isInDiff(lines, { path: "b.png", line: 1, side: "RIGHT" })).toBe(false);
  });

  it("allows a remark on several lines only within one hunk", () => {
    expect([inDiff(3, "RIGHT", 2), inDiff(21, "RIGHT", 4)]).toEqual([true, false]);
  });
});
