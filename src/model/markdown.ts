/**
 * Text of children, agents and manifests inside GitHub's markdown. Nothing of it becomes markup, a link, a mention or the end of the place that it
 * stands in. Pure. https://github.github.com/gfm/
 */
import { printable, printableLines } from "./printable.ts";

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text for people, on one line: every sign that markdown or HTML gives a meaning is written as an entity, and no mention or reference is left. */
export function plainText(text: string): string {
  return printable(text)
    .replace(/[^\p{L}\p{N} ,;()?…–—·✓✗⊘○▶↻↷!]/gu, (sign) => entities[sign] ?? `&#${sign.codePointAt(0)};`)
    .replace(/&#(?:64|35);/g, "$&\u200b");
}

/** Text as code, on one line. GitHub looks for no mentions in code. */
export function inlineCode(text: string): string {
  return `<code>${printable(text).replace(/[^\p{L}\p{N} ,;()?_-]/gu, (sign) => entities[sign] ?? `&#${sign.codePointAt(0)};`)}</code>`;
}

/** Lines as a block of code. The fence is longer than any in them. */
export function codeBlock(text: string, language = ""): string {
  const lines = printableLines(text);
  const longest = lines.reduce((most, line) => Math.max(most, ...[...line.matchAll(/`+/g)].map(([run]) => run.length)), 2);
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${lines.join("\n")}\n${fence}`;
}

/**
 * Markdown that an agent wrote and that is to be shown as markdown: it mentions nobody, and holds no HTML comment, in which wave keeps its marks.
 * Code stays as it is.
 */
export function tamedMarkdown(markdown: string): string {
  return markdown
    .split(/(^ {0,3}(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\2[`~]*[ \t]*$|(?![\s\S]))|`[^`\n]+`)/m)
    .map((part, index) => (index % 3 === 2 ? "" : index % 3 === 1 ? (part ?? "") : tamed(part ?? "")))
    .join("");
}

function tamed(text: string): string {
  return text.replace(/@(?=[\p{L}\p{N}])/gu, "@\u200b").replaceAll("<!--", "&lt;!--");
}

/** A part that may be left out at its end: whole lines, so that no table is cut within a row. */
export interface Part {
  readonly lines: readonly string[];
  /** What stands where lines were left out, given how many. */
  readonly rest: (count: number) => string;
}

/** Parts as one text of at most so many characters. The first ones get what they need, the last ones what is left. */
export function withinLimit(parts: readonly (string | Part)[], limit: number): string {
  const given: string[] = [];
  let left = limit;
  for (const part of parts) {
    const text = typeof part === "string" ? part : cut(part, left);
    if (text.length + 2 > left) continue;
    given.push(text);
    left -= text.length + 2;
  }
  return given.filter((text) => text !== "").join("\n\n");
}

function cut({ lines, rest }: Part, limit: number): string {
  const whole = lines.join("\n");
  if (whole.length + 2 <= limit) return whole;
  const kept: string[] = [];
  let left = limit - rest(lines.length).length - 4;
  for (const line of lines) {
    if (line.length + 1 > left) break;
    kept.push(line);
    left -= line.length + 1;
  }
  return kept.length === 0 ? "" : [...kept, "", rest(lines.length - kept.length)].join("\n");
}
