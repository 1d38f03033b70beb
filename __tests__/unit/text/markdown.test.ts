/** Foreign text inside GitHub's Markdown. */

import { describe, expect, it } from "vitest";
import { codeBlock, inlineCode, plainText, suggestionBlock, tamedBlock, tamedMarkdown, withinLimit } from "../../../src/text/markdown.ts";
import { around, markdownBlocks, top } from "../../rig/markdown-blocks.ts";
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

describe("foreign text", () => {
  it("stays on its line and contains no markup, mention or reference", () => {
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

  it("does not end the code block around it", () => {
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

describe("Markdown of agents", () => {
  it("has no mentions and no HTML comments", () => {
    expect(tamedMarkdown("Ask @octo/team <!-- wave:x --> or mail a@b.c")).toBe(
      "Ask @\u200bocto/team &lt;!-- wave:x --> or mail a@\u200bb.c",
    );
  });

  it("keeps code unchanged", () => {
    const text = "Use `@Injectable()`:\n\n```ts\n@Injectable()\nclass A {}\n```\n\nand @nobody\n\n~~~\n@decorator";
    expect(tamedMarkdown(text)).toBe(text.replace("@nobody", "@\u200bnobody"));
  });

  it("has no mention after a fence that GitHub does not open", () => {
    expect(tamedMarkdown("``` a`b\n@octocat")).toBe("``` a`b\n@\u200boctocat");
  });

  it("has no mention after a fence that a carriage return closes", () => {
    expect(tamedMarkdown("```\n@code\r```\r@octocat")).toBe("```\n@code\n```\n@\u200boctocat");
  });

  // Quadratic time would take minutes.
  it.each(["`", "~", "~~~~x\n", "` ", "\r", "a`"])("takes linear time for %j repeated", (unit) => {
    const text = unit.repeat(500_000 / unit.length);
    expect(tamedMarkdown(`${text}x`)).toHaveLength(text.length + 1);
    expect(codeBlock(`${text}x`)).toMatch(/x\n`+$/);
  });
});

describe("mentions of an agent", () => {
  it.each([
    ["@octocat", "@\u200boctocat"],
    ["\\@octocat", "\\@\u200boctocat"],
    ["&#64;octocat &#x40;octocat &commat;octocat", "&#64;\u200boctocat &#x40;\u200boctocat &commat;\u200boctocat"],
    ["@&#111;ctocat", "@\u200b&#111;ctocat"],
    ["\\`@octocat\\`", "\\`@\u200boctocat\\`"],
    ["<div>\n`@octocat`\n</div>", "<div>\n`@\u200boctocat`\n</div>"],
    ["| ` | @octocat ` |\n| --- | --- |", "| ` | @\u200boctocat ` |\n| --- | --- |"],
    ["text `\n- @octocat `", "text `\n- @\u200boctocat `"],
    ["- a\n\n  ```\n  code\n@octocat", "- a\n\n  ```\n  code\n@\u200boctocat"],
    ["<pre>\n\n```\n</pre>\n\n@octocat\n```", "<pre>\n\n```\n</pre>\n\n@\u200boctocat\n```"],
    [" ~~~\n\n```\n ~~~\n@octocat", " ~~~\n\n```\n ~~~\n@\u200boctocat"],
  ])("are broken in %j", (markdown, shown) => {
    expect(tamedMarkdown(markdown)).toBe(shown);
  });

  it("stay unchanged in certain code", () => {
    const text = "See `npm i @octo/x` and ``a ` @b``.\n```ts\n@Injectable()\n```\nDone.\n~~~~\n~~~\n@decorator\n~~~~\n";
    expect(tamedMarkdown(text)).toBe(text);
  });
});

describe("an open block", () => {
  it.each([
    ["```ts\ncode", "```ts\ncode\n```"],
    ["~~~~\n~~~\n", "~~~~\n~~~\n~~~~"],
    ["<details><summary>x</summary>\n\ntext", "<details><summary>x</summary>\n\ntext\n\n</details>"],
    ["```\ncode\n```\n", "```\ncode\n```"],
  ])("is closed after %j", (markdown, closed) => {
    expect(tamedBlock(markdown)).toBe(closed);
  });

  it("is closed within the limit when a limit cuts it", () => {
    const part = { lines: ["<details>", "", "````sh", ...Array.from({ length: 50 }, (_, at) => `line ${at}`)], rest: () => "… more" };
    const text = withinLimit([part], 200);
    expect(text.length).toBeLessThanOrEqual(200);
    expect(text).toMatch(/\n````\n\n<\/details>\n\n… more$/);
  });
});

describe("Wave's markers", () => {
  it("are broken in code and in foreign text", () => {
    const mark = "<!-- wave:result:p: -->";
    for (const text of [
      codeBlock(mark),
      suggestionBlock(mark),
      tamedMarkdown(`\`\`\`\n${mark}\n\`\`\``),
      tamedMarkdown(mark),
      tamedMarkdown(`\`${mark}\``),
    ])
      expect(text).not.toContain("<!-- wave:");
  });

  it("do not change the white space of a suggestion", () => {
    expect(suggestionBlock("\tif x:\r\n\t\tpass\n")).toBe("```suggestion\n\tif x:\n\t\tpass\n```");
  });
});

describe("a limit", () => {
  it("cuts lists at a line and reports the number of omitted lines", () => {
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

describe("a shortened text", () => {
  const part = (text: string) => ({
    lines: tamedBlock(text).split("\n"),
    rest: (_count: number, characters: number) => `… ${characters} more`,
  });

  it("keeps the limit, closes its blocks and reports the omitted text, for any text", () => {
    const long = fc.tuple(
      fc.oneof(markdownBlocks, hostile, fc.string({ unit: "grapheme" })),
      fc.integer({ min: 1, max: 400 }),
      markdownBlocks,
    );
    fc.assert(
      fc.property(long, fc.integer({ min: 40, max: 6000 }), ([unit, times, end], limit) => {
        const whole = tamedBlock(unit.repeat(times) + end);
        const text = withinLimit([part(unit.repeat(times) + end)], limit);
        expect(text.length).toBeLessThanOrEqual(limit);
        expect(around(text)).toEqual(top);
        expect(text).not.toContain("<!-- wave:");
        if (whole.length > limit) expect(text).toMatch(/(?:^|\n\n)… \d+ more$/);
      }),
      { numRuns: 2000 },
    );
  });

  it("is cut within a long line, but not within a character", () => {
    const family = "👨‍👩‍👧‍👦";
    const text = withinLimit([part(`# Findings\n\n${family.repeat(9000)}`)], 65_000);
    expect(text.length).toBeGreaterThan(64_000);
    expect(text.replace(/\n\n… \d+ more$/, "").replaceAll(family, "")).toBe("# Findings\n\n");
  });

  it("has no mention in a cut code span", () => {
    const text = withinLimit([part(`\`${"@octocat ".repeat(2000)}\``)], 5000);
    expect(text).not.toMatch(/@octocat/);
    expect(text.length).toBeGreaterThan(4900);
  });

  it("keeps whole rows of a table", () => {
    const rows = ["| head |", "| --- |", `| ${"x".repeat(5000)} |`];
    expect(withinLimit([{ lines: rows, rest: (count) => `… and ${count} more rows`, whole: true }], 3000)).toBe(
      "| head |\n| --- |\n\n… and 1 more rows",
    );
  });

  it("shows a part of a text that has a single long line", () => {
    const text = withinLimit(["first", `\`\`\`\n${"x".repeat(5000)}\n\`\`\``, "last"], 3000);
    expect(text).toMatch(/^first\n\n```\nx{2800,}\n```\n\n… and \d+ more characters\./);
  });
});
