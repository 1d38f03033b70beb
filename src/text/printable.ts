/** Text from children, agents and manifests as printable lines, and how wide text is on a terminal. Pure. */
import { withoutControls, withoutSequences } from "./control-characters.ts";

/** Text as one line: escape sequences dropped, line breaks and tabs as spaces, hidden characters written out (`\x07`). */
export function printable(text: string): string {
  return withoutControls(text.replaceAll("\r\n", "\n")).replace(/[\n\t]/g, " ");
}

/** Text as printable lines. Of a line that was overwritten by carriage returns, what stood last is kept. */
export function printableLines(text: string): string[] {
  const lines = withoutSequences(text).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => printable(lastState(line).replaceAll("\t", "  ")));
}

/** The text after the last carriage return that other text follows. A pattern for it would take quadratic time. */
function lastState(line: string): string {
  let end = line.length;
  while (line[end - 1] === "\r") end--;
  return line.slice(line.lastIndexOf("\r", end - 1) + 1, end);
}

/** The length of the longest run of backticks, 0 if there is none. A block or span of code needs a longer fence. */
export function longestBackticks(text: string): number {
  let longest = 0;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return longest;
}

/** Columns that a text takes: two for East Asian wide characters and emoji, none for combining marks. */
export function cellWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** A text cut to a width, with an ellipsis where something is missing. */
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

/** A text filled up with spaces to a width. */
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
