/**
 * Escapes text of children, agents and manifests for GitHub's Markdown: it cannot become markup, a link or a mention, or end the block
 * around it. Pure. https://github.github.com/gfm/
 */
import { withoutControls } from "./control-characters.ts";
import { markdownPieces } from "./markdown-code.ts";
import { closedMarkdown } from "./markdown-end.ts";
import { markdownText } from "./markdown-text.ts";
import { longestBackticks, printable, printableLines } from "./printable.ts";

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Plain text on one line: characters with a meaning in Markdown or HTML become entities; mentions and references are broken. */
export function plainText(text: string): string {
  return printable(text)
    .replace(/[^\p{L}\p{N} ,;()?…–—·✓✗⊘○▶↻↷!]/gu, (sign) => entities[sign] ?? `&#${sign.codePointAt(0)};`)
    .replace(/&#(?:64|35);/g, "$&\u200b");
}

/** Text as code, on one line. GitHub ignores mentions in code. */
export function inlineCode(text: string): string {
  return `<code>${printable(text).replace(/[^\p{L}\p{N} ,;()?_-]/gu, (sign) => entities[sign] ?? `&#${sign.codePointAt(0)};`)}</code>`;
}

/** A code block. Its fence is longer than any run of backticks in the text. */
export function codeBlock(text: string, language = ""): string {
  return blockOf(printableLines(text), language);
}

/** A change that GitHub offers to commit. Keeps all white space. */
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
 * Makes an agent's Markdown safe to show as Markdown: breaks mentions and escapes HTML comments, which Wave uses for its markers.
 * Certain code stays unchanged, except for Wave's markers.
 */
export function tamedMarkdown(markdown: string): string {
  const text = markdownText(markdown);
  const tame = markdownPieces(text).map((piece) => (piece.kind === "code" ? withoutMarks(piece.text) : tamed(piece.text)));
  return tame.join("");
}

/** Like `tamedMarkdown`, with open fences, tags and elements closed, so that following text does not become part of them. */
export function tamedBlock(markdown: string): string {
  const { text, closers } = closedMarkdown(tamedMarkdown(markdown).replace(/\n$/, ""));
  return [text, ...closers].join("\n");
}

/** GitHub searches for mentions after it decodes entities and removes tags. An open comment would hide the rest of the text. */
function tamed(text: string): string {
  return text
    .replace(/@(?=[^\s\u200b])/g, "@\u200b")
    .replace(/&(?:#0*64|#x0*40|commat);(?!\u200b)/gi, "$&\u200b")
    .replaceAll("<!--", "&lt;!--");
}

/** Breaks Wave's own markers in a text: HTML comments by which it recognizes its comments. */
export function withoutMarks(text: string): string {
  return text.replace(/<!--(?=\s*wave:)/g, "<!--\u200b");
}

/** A part of a text that may be shortened at its end. */
export interface Part {
  readonly lines: readonly string[];
  /** The notice in place of the omitted text: `count` lines (the first may be partly shown) with `characters` in total. */
  readonly rest: (count: number, characters: number) => string;
  /** Set if only whole lines may be left out, as in a table. */
  readonly whole?: true;
}

/** Joins parts to a text of at most `limit` characters. Earlier parts take precedence over later ones. */
export function withinLimit(parts: readonly (string | Part)[], limit: number): string {
  const given: string[] = [];
  let left = limit;
  for (const part of parts) {
    const text = cutPart(typeof part === "string" ? textPart(part) : part, left - 2);
    if (text === "") continue;
    given.push(text);
    left -= text.length + 2;
  }
  return given.join("\n\n");
}

function textPart(text: string): Part {
  return { lines: text.split("\n"), rest: (_count, characters) => `… and ${characters} more characters.` };
}

/** A line is cut only if more than this number of characters would otherwise stay unused. */
const longestGap = 2000;

/** Shortens a part to a limit and closes its open blocks. Empty if not even the notice fits. */
export function cutPart({ lines, rest, whole }: Part, limit: number): string {
  const text = lines.join("\n");
  if (text.length <= limit) return text;
  let shrink = 0;
  for (let room = limit - rest(lines.length, text.length).length - 2; room > 0; shrink += 1) {
    const { kept, count } = prefixOf(lines, room, whole === true ? Number.POSITIVE_INFINITY : longestGap);
    if (kept === "") break;
    const closed = closedMarkdown(kept);
    const cut = [closed.text, ...closed.closers, "", rest(count, text.length - kept.length)].join("\n");
    if (cut.length <= limit) return cut;
    // The open blocks depend on the cut, so slightly less space may not suffice.
    room = Math.min(room - (cut.length - limit), shrink < 3 ? room - 16 : Math.floor(room * 0.9));
  }
  const none = rest(lines.length, text.length);
  return none.length <= limit ? none : "";
}

/** The first lines within `room` characters, plus part of the next if more than `gap` would stay unused. `count`: the omitted lines. */
function prefixOf(lines: readonly string[], room: number, gap: number): { readonly kept: string; readonly count: number } {
  let end = 0;
  let number = 0;
  for (; number < lines.length; number += 1) {
    const next = end + (number === 0 ? 0 : 1) + (lines[number]?.length ?? 0);
    if (next > room) break;
    end = next;
  }
  const count = lines.length - number;
  const whole = lines.slice(0, number);
  const free = room - end - 1;
  const piece = free > gap ? beginningOf(lines[number] ?? "", free) : "";
  return { kept: [...whole, ...(piece === "" ? [] : [piece])].join("\n"), count };
}

/** The start of a line, at most `limit` characters. Does not cut a character or an entity, and breaks mentions. */
function beginningOf(line: string, limit: number): string {
  // A cut code span is text, so mentions in it count.
  const text = tamed(line.slice(0, limit + 100));
  const window = Math.max(0, limit - 200);
  const { index = 0 } = new Intl.Segmenter().segment(text.slice(window)).containing(limit - window) ?? {};
  const end = text.length <= limit ? text.length : window + index;
  return text
    .slice(0, end)
    .replace(/[\ud800-\udbff]$/, "")
    .replace(/&[#\w]{0,10}$/, "");
}
