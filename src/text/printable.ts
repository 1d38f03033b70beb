/** Makes text of children, agents and manifests printable, and measures its width on a terminal. Pure. */
import { withoutControls, withoutSequences } from "./control-characters.ts";

/** Text as one line: removes escape sequences, replaces line breaks and tabs by spaces, escapes hidden characters (`\x07`). */
export function printable(text: string): string {
  return withoutControls(text.replaceAll("\r\n", "\n")).replace(/[\n\t]/g, " ");
}

/** Text as printable lines. Of a line overwritten with carriage returns, keeps the final text. */
export function printableLines(text: string): string[] {
  const lines = withoutSequences(text).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => printable(lastState(line).replaceAll("\t", "  ")));
}

/** The text after the last carriage return that other text follows. A regular expression would take quadratic time. */
function lastState(line: string): string {
  let end = line.length;
  while (line[end - 1] === "\r") end--;
  return line.slice(line.lastIndexOf("\r", end - 1) + 1, end);
}

/** The length of the longest run of backticks; 0 without any. A code block or span needs a longer fence. */
export function longestBackticks(text: string): number {
  let longest = 0;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return longest;
}

/** The width of a text in columns: two for East Asian wide characters and emoji, none for combining marks. */
export function cellWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** Cuts a text to a width in columns, with an ellipsis if it is cut. */
export function fit(text: string, width: number): string {
  if (cellWidth(text) <= width) return text;
  if (width < 1) return "";
  let kept = "";
  let used = 1;
  for (const character of text) {
    used += characterWidth(character);
    if (used > width) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Pads a text with spaces to a width in columns. */
export function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - cellWidth(text)));
}

function characterWidth(character: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(character)) return 0;
  // Unicode's East Asian Width, W and F, in its large blocks.
  return /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]$/u.test(
    character,
  )
    ? 2
    : 1;
}
