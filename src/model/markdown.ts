/**
 * Text of children, agents and manifests inside GitHub's markdown. Nothing of it becomes markup, a link, a mention or the end of the place that it
 * stands in. Pure. https://github.github.com/gfm/
 */
import { withoutControls } from "../text/control-characters.ts";
import { markdownClosers, markdownPieces } from "../text/markdown-code.ts";
import { markdownText } from "../text/markdown-text.ts";
import { longestBackticks, printable, printableLines } from "./printable.ts";

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
  return blockOf(printableLines(text), language);
}

/** A change that GitHub offers to commit: every tab and blank of it is kept. */
export function suggestionBlock(text: string): string {
  // An empty suggestion deletes the lines; one empty line would replace them.
  if (text === "") return "```suggestion\n```";
  return blockOf(withoutControls(text.replace(/\r\n?/g, "\n")).replace(/\n$/, "").split("\n"), "suggestion");
}

function blockOf(code: readonly string[], language: string): string {
  const shown = code.map(withoutMarks).join("\n");
  const fence = "`".repeat(Math.max(3, longestBackticks(shown) + 1));
  return `${fence}${language}\n${shown}\n${fence}`;
}

/**
 * Markdown that an agent wrote and that is to be shown as Markdown: it mentions nobody, and holds no HTML comment, in which Wave keeps its marks.
 * Where it is code for certain, it stays as it is.
 */
export function tamedMarkdown(markdown: string): string {
  const text = markdownText(markdown);
  const tame = markdownPieces(text).map((piece) => (piece.kind === "code" ? withoutMarks(piece.text) : tamed(piece.text)));
  return tame.join("");
}

/** The same as a block of its own: nothing behind it becomes part of a fence or of `<details>` that it left open. */
export function tamedBlock(markdown: string): string {
  const text = tamedMarkdown(markdown);
  return [text.replace(/\n$/, ""), ...markdownClosers(text)].join("\n");
}

/** GitHub looks for mentions after it has read entities and dropped tags; a comment could hide the rest of the text. */
function tamed(text: string): string {
  return text
    .replace(/@(?=[^\s\u200b])/g, "@\u200b")
    .replace(/&(?:#0*64|#x0*40|commat);(?!\u200b)/gi, "$&\u200b")
    .replaceAll("<!--", "&lt;!--");
}

/** Code or plain text in which Wave finds none of the marks, HTML comments, by which it knows its own comments. */
export function withoutMarks(text: string): string {
  return text.replace(/<!--(?=\s*wave:)/g, "<!--\u200b");
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
  let closers = markdownClosers(kept.join("\n"));
  while (kept.length > 0 && closers.join("\n").length + 1 > left) {
    for (const line of kept.splice(Math.floor(kept.length * 0.9))) left += line.length + 1;
    closers = markdownClosers(kept.join("\n"));
  }
  return kept.length === 0 ? "" : [...kept, ...closers, "", rest(lines.length - kept.length)].join("\n");
}
