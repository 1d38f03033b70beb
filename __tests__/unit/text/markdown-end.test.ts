/** Blocks that a Markdown text leaves open, checked against the reference implementation of CommonMark. */
import { describe, expect, test } from "vitest";
import { closedMarkdown } from "../../../src/text/markdown-end.ts";
import { around, markdownBlocks, top } from "../../rig/markdown-blocks.ts";
import fc from "../../rig/property.ts";

function closed(markdown: string): string {
  const { text, closers } = closedMarkdown(markdown);
  return [text, ...closers].join("\n");
}

describe("text behind a closed Markdown text", () => {
  test("is a paragraph of its own for any blocks", () => {
    fc.assert(
      fc.property(markdownBlocks, (text) => {
        expect(around(closed(text))).toEqual(top);
      }),
      { numRuns: 20_000 },
    );
  });

  test.each([
    ["a fence", "```js\ncode"],
    ["a fence behind a list with one", "- a\n  ```\n  x\n  ```\n\n~~~\ncode"],
    ["a fence in a list", "1. a\n   ```\n   code"],
    ["nested elements", "<details><summary>a</summary>\n\n<table><tr><td>\n\n```\nx\n```"],
    ["a tag that was cut", '<div title="x > y'],
    ["a script", "<pre>\n\n<b>x"],
    ["an element in a paragraph", "see <b>this"],
  ])("is a paragraph of its own behind %s", (_, text) => {
    expect(around(closed(text))).toEqual(top);
  });

  test("leaves a text without open blocks as it is", () => {
    for (const text of [
      "",
      "a < b and c > d",
      "it's <y",
      "```\nx\n```",
      "<details>\n\nx\n\n</details>",
      "`<b>` is a tag",
      "List<T> and <https://x.y>",
    ])
      expect(closedMarkdown(text)).toEqual({ text, closers: [] });
  });

  // A pattern with quadratic cost takes minutes for these.
  test.each(["<b>", "<div title='", "```\n", "- ", "<b></i>", '<div a="b"', "<details>\n"])("takes linear time for %j repeated", (unit) => {
    const text = unit.repeat(300_000 / unit.length);
    expect(closedMarkdown(text).text.length).toBeGreaterThanOrEqual(text.length);
  });
});
