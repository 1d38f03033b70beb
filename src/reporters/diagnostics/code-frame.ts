/** The lines of a file that a problem stands on, numbered, with the stretch underlined. */
import type { Range } from "../../core/document.ts";
import { cellWidth, printable } from "../../text/printable.ts";
import type { Palette } from "../console/palette.ts";

/** Lines of a long stretch that are shown. */
const maxLines = 4;

/** Columns of a long line that are shown. */
const maxColumns = 120;

/** The frame's lines, or none where the range lies outside the text. `tint` colours the underline. */
export function codeFrame(text: string, range: Range, paint: Palette, tint: (text: string) => string): string[] {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  const { start, end } = range;
  if (lines[start.line - 1] === undefined) return [];
  // A range that ends before the first column of a line does not stand on that line.
  const endLine = Math.max(start.line, end.column === 1 ? end.line - 1 : end.line);
  const last = Math.min(endLine, start.line + maxLines - 1, lines.length);
  const gutter = String(last).length;
  const bar = paint.dim("|");
  const frame: string[] = [];
  for (let number = Math.max(1, start.line - 1); number <= last; number++) {
    const line = lines[number - 1] ?? "";
    const marked = number >= start.line;
    const from = number === start.line ? start.column : line.length - line.trimStart().length + 1;
    const to = number === end.line && end.line === endLine ? end.column : line.trimEnd().length + 1;
    const shown = showLine(line, from, to, marked);
    frame.push(`${paint.dim(String(number).padStart(gutter))} ${bar} ${shown.text}`.trimEnd());
    if (marked) frame.push(`${" ".repeat(gutter)} ${bar} ${" ".repeat(shown.before)}${tint("~".repeat(shown.width))}`);
  }
  if (last < endLine) frame.push(`${" ".repeat(gutter)} ${bar} ${paint.dim(`... ${endLine - last} more lines`)}`);
  return frame;
}

/** The line as it is printed, and where in it the stretch lies, in terminal columns. */
function showLine(line: string, from: number, to: number, marked: boolean): { text: string; before: number; width: number } {
  const skipped = marked && from > maxColumns - 20 ? from - 40 : 0;
  const head = skipped > 0 ? "…" : "";
  const visible = line.slice(skipped, skipped + maxColumns);
  const tail = line.length > skipped + maxColumns ? "…" : "";
  const before = head + shown(line.slice(skipped, from - 1));
  const stretch = shown(line.slice(from - 1, Math.min(to - 1, skipped + maxColumns)));
  return { text: head + shown(visible) + tail, before: cellWidth(before), width: Math.max(1, cellWidth(stretch)) };
}

function shown(text: string): string {
  return printable(text.replaceAll("\t", "  "));
}
