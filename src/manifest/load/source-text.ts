/** Decodes text, and converts offsets to lines and columns. */
import type { Origin, Position } from "../../core/document.ts";

/** The text without a byte order mark, or the position of the first invalid byte. */
export type DecodedText = { readonly kind: "text"; readonly text: string } | { readonly kind: "binary"; readonly at: Position };

/** Decodes UTF-8. A NUL character counts as binary. */
export function decodeText(bytes: Uint8Array): DecodedText {
  const text = strictText(bytes);
  if (text !== undefined && !text.includes("\0")) return { kind: "text", text };
  const lenient = text ?? new TextDecoder().decode(bytes);
  const bad = lenient.search(text === undefined ? /\uFFFD/ : /\0/);
  return { kind: "binary", at: lineIndex(lenient).positionAt(Math.max(bad, 0)) };
}

function strictText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Converts offsets to positions. Lines end at `\n`. */
export interface LineIndex {
  positionAt(offset: number): Position;
}

/** Indexes the lines of a text. Look-ups use binary search, or one step if they advance. */
export function lineIndex(text: string): LineIndex {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  let last = 0;
  const startOf = (line: number) => starts[line] ?? Number.POSITIVE_INFINITY;
  return {
    positionAt(offset) {
      if (offset < startOf(last) || offset >= startOf(last + 1))
        last = offset < startOf(last + 2) && offset >= startOf(last + 1) ? last + 1 : search(starts, offset);
      return { line: last + 1, column: offset - startOf(last) + 1 };
    },
  };
}

/** The last line that starts at or before the offset. */
function search(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The start of a file, for problems of the file as a whole. */
export function startOfFile(file: string): Origin {
  return pointIn(file, { line: 1, column: 1 });
}

/** An empty range in a file. */
export function pointIn(file: string, at: Position): Origin {
  return { file, range: { start: at, end: at } };
}
