/** Text of others inside GitHub's markdown. */

import { describe, expect, it } from "vitest";
import { codeBlock, inlineCode, plainText, tamedMarkdown, withinLimit } from "../../../src/model/markdown.ts";
import fc from "../../rig/property.ts";

const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(
      fc.constantFrom(
        "`",
        "```",
        "~~~",
        "\n",
        "|",
        "<b>",
        "</code>",
        "<!--",
        "-->",
        "@octocat",
        "#1",
        "[a](b)",
        "::error::",
        "\u202e",
        "\u001b[31m",
        "\\",
        "&lt;",
      ),
    )
    .map((parts) => parts.join("")),
);

describe("text of others", () => {
  it("stays on its line, and holds no sign that is markup, a mention or a reference", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const shown of [plainText(text), inlineCode(text).replace(/^<code>|<\/code>$/g, "")]) {
          expect(shown).not.toMatch(/[\n\r`|<>[\]\\@*~]/);
          expect(shown).not.toMatch(/&(?!(?:amp|lt|gt|quot|#\d+);)/);
          expect(shown).not.toMatch(/\p{Cc}|[\u202a-\u202e]/u);
        }
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  it("does not end the block of code that it stands in", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const lines = codeBlock(text).split("\n");
        const fence = lines[0] ?? "";
        expect(fence).toMatch(/^`{3,}$/);
        expect(lines.slice(1, -1).filter((line) => line.includes(fence))).toEqual([]);
        expect(lines.at(-1)).toBe(fence);
      }),
      { seed: 12, numRuns: 500 },
    );
  });

  it("breaks mentions and references", () => {
    expect(plainText("see @octocat and #12")).toBe("see &#64;\u200boctocat and &#35;\u200b12");
  });
});

describe("markdown of agents", () => {
  it("mentions nobody, and hides nothing in comments", () => {
    expect(tamedMarkdown("Ask @octo/team <!-- wave:x --> or mail a@b.c")).toBe(
      "Ask @\u200bocto/team &lt;!-- wave:x --> or mail a@\u200bb.c",
    );
  });

  it("keeps code as it is", () => {
    const text = "Use `@Injectable()`:\n\n```ts\n@Injectable()\nclass A {}\n```\n\nand @nobody\n\n~~~\n@decorator";
    expect(tamedMarkdown(text)).toBe(text.replace("@nobody", "@\u200bnobody"));
  });

  it("keeps no mention behind a fence that GitHub does not open", () => {
    expect(tamedMarkdown("``` a`b\n@octocat")).toBe("``` a`b\n@\u200boctocat");
  });

  it("keeps no mention behind a fence that a carriage return closes", () => {
    expect(tamedMarkdown("```\n@code\r```\r@octocat")).toBe("```\n@code\n```\n@\u200boctocat");
  });

  // A pattern with quadratic cost takes minutes for these.
  it.each(["`", "~", "~~~~x\n", "` ", "\r", "a`"])("takes linear time for %j repeated", (unit) => {
    const text = unit.repeat(500_000 / unit.length);
    expect(tamedMarkdown(`${text}x`)).toHaveLength(text.length + 1);
    expect(codeBlock(`${text}x`)).toMatch(/x\n`+$/);
  });
});

describe("a limit", () => {
  it("is kept, cutting lists at a line and saying how many are missing", () => {
    const rows = Array.from({ length: 100 }, (_, at) => `| row ${at} |`);
    const part = { lines: ["| head |", "| --- |", ...rows], rest: (count: number) => `… and ${count} more.` };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2000 }), (limit) => {
        const text = withinLimit(["first", part, "last"], limit);
        expect(text.length).toBeLessThanOrEqual(limit);
        const missing = /… and (\d+) more\./.exec(text);
        const shown = text.split("\n").filter((line) => line.startsWith("| ")).length;
        if (missing !== null) expect(shown + Number(missing[1])).toBe(102);
      }),
      { seed: 13 },
    );
  });
});
