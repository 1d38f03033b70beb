/** The lines of a file that a diagnostic is about, numbered, with the range underlined. */
import type { Range } from "../../core/document.ts";
import { cellWidth, fit, printable } from "../../text/printable.ts";
import type { Palette } from "../console/palette.ts";

/** Lines of a range that are shown. */
const maxLines = 4;

/** The width of output that is not a terminal. */
export const defaultColumns = 100;

/** Columns of text that a narrow terminal gets at least. */
const minTextColumns = 20;

export interface FrameStyle {
  readonly paint: Palette;
  /** Colors the underline. */
  readonly tint: (text: string) => string;
  /** The greatest width of a line, without the caller's indentation. */
  readonly columns: number;
}

/** The frame's lines. Empty if the range is outside the text. No line is wider than the columns, except on very narrow terminals. */
export function codeFrame(text: string, range: Range, { paint, tint, columns }: FrameStyle): string[] {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  const { start, end } = range;
  if (lines[start.line - 1] === undefined) return [];
  // A range that ends at column 1 of a line excludes that line.
  const endLine = Math.max(start.line, end.column === 1 ? end.line - 1 : end.line);
  const last = Math.min(endLine, start.line + maxLines - 1, lines.length);
  const gutter = String(last).length;
  const textColumns = Math.max(minTextColumns, columns - gutter - 3);
  const bar = paint.dim("|");
  const frame: string[] = [];
  for (let number = Math.max(1, start.line - 1); number <= last; number++) {
    const line = lines[number - 1] ?? "";
    const isMarked = number >= start.line;
    const from = isMarked ? (number === start.line ? start.column : line.length - line.trimStart().length + 1) : 1;
    const to = number === end.line && end.line === endLine ? end.column : line.trimEnd().length + 1;
    const shown = showLine(line, from, to, textColumns);
    frame.push(`${paint.dim(String(number).padStart(gutter))} ${bar} ${shown.text}`.trimEnd());
    if (isMarked) frame.push(`${" ".repeat(gutter)} ${bar} ${" ".repeat(shown.before)}${tint("~".repeat(shown.width))}`);
  }
  if (last < endLine) frame.push(`${" ".repeat(gutter)} ${bar} ${paint.dim(`... ${endLine - last} more lines`)}`);
  return frame;
}

/** The visible part of a line, and the position and width of the range in it, in terminal columns. */
function showLine(line: string, from: number, to: number, columns: number): { text: string; before: number; width: number } {
  const lead = visibleLead(line.slice(0, from - 1), columns);
  const before = cellWidth(lead);
  // Cut first: measuring a minified file of one line takes seconds.
  const rest = line.slice(from - 1, from + columns);
  const range = cellWidth(displayed(rest.slice(0, Math.max(0, to - from))));
  return { text: fit(lead + displayed(rest), columns), before, width: Math.max(1, Math.min(range, columns - before)) };
}

/** The text before the range. If it leaves too little room for the range, only its end, after an ellipsis. */
function visibleLead(text: string, columns: number): string {
  if (text.length <= columns && cellWidth(displayed(text)) <= (columns * 3) / 4) return displayed(text);
  const kept: string[] = [];
  let width = 1;
  for (const character of [...displayed(text.slice(-columns))].reverse()) {
    width += cellWidth(character);
    if (width > columns / 3) break;
    kept.push(character);
  }
  return `…${kept.reverse().join("")}`;
}

function displayed(text: string): string {
  return printable(text.replaceAll("\t", "  "));
}
