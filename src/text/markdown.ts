/**
 * Text of children, agents and manifests inside GitHub's markdown. Nothing of it becomes markup, a link, a mention or the end of the place that it
 * stands in. Pure. https://github.github.com/gfm/
 */
import { withoutControls } from "./control-characters.ts";
import { markdownPieces } from "./markdown-code.ts";
import { closedMarkdown } from "./markdown-end.ts";
import { markdownText } from "./markdown-text.ts";
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

/** The same as a block of its own: nothing behind it becomes part of a fence, of a tag or of an element that it left open. */
export function tamedBlock(markdown: string): string {
  const { text, closers } = closedMarkdown(tamedMarkdown(markdown).replace(/\n$/, ""));
  return [text, ...closers].join("\n");
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

/** A part that may be cut at its end. */
export interface Part {
  readonly lines: readonly string[];
  /** The text in place of what is missing: `count` lines, the first of them maybe in part, with `characters` in all. */
  readonly rest: (count: number, characters: number) => string;
  /** Set if only whole lines may be left out, as in a table. */
  readonly whole?: true;
}

/** Parts as one text of at most `limit` characters. The first ones get what they need, the last ones what is left. */
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

/** A line is cut only if more characters than this would be lost at its start. */
const longestGap = 2000;

/** The part, cut to a limit, with what it leaves open closed; empty if not even the text for what is missing fits. */
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
    // What is open depends on where the text is cut, so a little less may not be enough.
    room = Math.min(room - (cut.length - limit), shrink < 3 ? room - 16 : Math.floor(room * 0.9));
  }
  const none = rest(lines.length, text.length);
  return none.length <= limit ? none : "";
}

/** The first lines, of at most `room` characters; and a part of the next one, if more than `gap` characters would stay free. `count`: the other lines. */
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

/** The start of a line, of at most `limit` characters: no character or entity is cut, and nothing in it is a mention. */
function beginningOf(line: string, limit: number): string {
  // A span of code that is cut is text.
  const text = tamed(line.slice(0, limit + 100));
  const window = Math.max(0, limit - 200);
  const { index = 0 } = new Intl.Segmenter().segment(text.slice(window)).containing(limit - window) ?? {};
  const end = text.length <= limit ? text.length : window + index;
  return text
    .slice(0, end)
    .replace(/[\ud800-\udbff]$/, "")
    .replace(/&[#\w]{0,10}$/, "");
}
