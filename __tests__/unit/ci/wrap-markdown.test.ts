/** The prose of generated pages is wrapped; everything else stays as the generator wrote it. */
import { describe, expect, it } from "vitest";
import { wrapMarkdown } from "../../../.ci/wrap-markdown.ts";

const word = "word ".repeat(30).trim();

describe("wrapMarkdown", () => {
  it("wraps a paragraph at 100 columns and keeps its words", () => {
    const wrapped = wrapMarkdown(`${word}\n`);
    expect(wrapped.split("\n").map(({ length }) => length)).toEqual([99, 49, 0]);
    expect(wrapped.replaceAll("\n", " ").trim()).toBe(word);
  });

  it("indents the lines of a list item to its text", () => {
    const lines = wrapMarkdown(`- ${word}\n- two\n  - ${word}\n1. ${word}`).split("\n");
    expect(lines.map((line) => line.replace(/(?<=\S ).*/, ""))).toEqual(["- ", "  word ", "- ", "  - ", "    word ", "1. ", "   word "]);
  });

  it("does not change headings, tables, comments and code blocks", () => {
    const page = [`# ${word}`, "", `| ${word} |`, `<!-- ${word} -->`, "```sh", word, "", `- ${word}`, "```", ""].join("\n");
    expect(wrapMarkdown(page)).toBe(page);
  });

  it("keeps code spans and links on one line", () => {
    const text = `${"x".repeat(90)} \`wave artifacts --patch\` ${"x".repeat(80)} [the page on secrets](secrets.md).`;
    expect(wrapMarkdown(text).split("\n")).toEqual([
      "x".repeat(90),
      `\`wave artifacts --patch\``,
      "x".repeat(80),
      "[the page on secrets](secrets.md).",
    ]);
  });

  it("starts no line with a word that Markdown reads as the start of a block", () => {
    const text = `${"x".repeat(98)} - ${"y".repeat(98)} # ${"z".repeat(98)} 1. end`;
    for (const line of wrapMarkdown(text).split("\n")) expect(line).toMatch(/^[xyz]|^end/);
  });

  it("returns a wrapped page unchanged", () => {
    const once = wrapMarkdown(`${word}\n\n- ${word}\n\n${word}`);
    expect(wrapMarkdown(once)).toBe(once);
  });
});
