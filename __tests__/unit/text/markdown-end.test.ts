/** Open blocks of a Markdown text, compared with the reference implementation of CommonMark. */
import { describe, expect, test } from "vitest";
import { closedMarkdown } from "../../../src/text/markdown-end.ts";
import { around, markdownBlocks, top } from "../../rig/markdown-blocks.ts";
import fc from "../../rig/property.ts";

function closed(markdown: string): string {
  const { text, closers } = closedMarkdown(markdown);
  return [text, ...closers].join("\n");
}

describe("text after a closed Markdown text", () => {
  test("is a separate paragraph for any blocks", () => {
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
  ])("is a separate paragraph after %s", (_, text) => {
    expect(around(closed(text))).toEqual(top);
  });

  test("a text without open blocks stays unchanged", () => {
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

  // Quadratic time would take minutes.
  test.each(["<b>", "<div title='", "```\n", "- ", "<b></i>", '<div a="b"', "<details>\n"])("takes linear time for %j repeated", (unit) => {
    const text = unit.repeat(300_000 / unit.length);
    expect(closedMarkdown(text).text.length).toBeGreaterThanOrEqual(text.length);
  });
});
