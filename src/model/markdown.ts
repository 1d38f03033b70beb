/**
 * Text of children, agents and manifests inside GitHub's markdown. Nothing of it becomes markup, a link, a mention or the end of the place that it
 * stands in. Pure. https://github.github.com/gfm/
 */
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
  const lines = printableLines(text);
  const shown = lines.join("\n");
  const fence = "`".repeat(Math.max(3, longestBackticks(shown) + 1));
  return `${fence}${language}\n${shown}\n${fence}`;
}

/**
 * Markdown that an agent wrote and that is to be shown as markdown: it mentions nobody, and holds no HTML comment, in which wave keeps its marks.
 * Code stays as it is.
 */
export function tamedMarkdown(markdown: string): string {
  // Line by line: one pattern for all of it would take quadratic time. Odd entries are the line ends.
  const parts = markdown.split(/(\r\n|\r|\n)/);
  let fence: string | undefined;
  return parts
    .map((part, index) => {
      if (index % 2 === 1) return part;
      if (fence !== undefined) {
        if (closes(part, fence)) fence = undefined;
        return part;
      }
      fence = index === parts.length - 1 ? undefined : openedFence(part);
      return fence === undefined ? tamedLine(part) : part;
    })
    .join("");
}

/** The fence that a line opens, if it does (GFM, section 4.5). A fence of backticks has none after it. */
function openedFence(line: string): string | undefined {
  const [, fence, info = ""] = /^ {0,3}(`{3,}|~{3,})(.*)$/s.exec(line) ?? [];
  return fence?.startsWith("`") && info.includes("`") ? undefined : fence;
}

/** Whether a line closes a fence: a fence of the same sign, at least as long, and nothing else. */
function closes(line: string, fence: string): boolean {
  const text = line.replace(/^ {1,3}/, "").trimEnd();
  return text.length >= fence.length && text === (fence[0] ?? "").repeat(text.length);
}

/** Spans of code stay as they are. */
function tamedLine(line: string): string {
  return line
    .split(/(`[^`]+`)/)
    .map((part, index) => (index % 2 === 1 ? part : tamed(part)))
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
