/** What the children of running attempts printed, as whole printable lines; old lines make room for new ones. */
import { printableLines } from "../../text/printable.ts";

/** Lines kept of one attempt. The attempt's log has them all. */
const maxLines = 5000;

/** Characters of a line that has no end in sight, after which it is cut. */
const maxLineLength = 16_384;

export interface OutputBuffer {
  /** Takes a piece of text and gives the lines that it completed. */
  push(key: string, text: string): string[];
  /** Gives all kept lines of an attempt, also one without a line break at its end, and forgets them. */
  take(key: string): { readonly lines: string[]; readonly dropped: number; readonly unfinished: string[] };
}

interface Held {
  lines: string[];
  dropped: number;
  partial: string;
}

/** An empty buffer. Keys tell attempts apart. */
export function outputBuffer(): OutputBuffer {
  const held = new Map<string, Held>();
  return {
    push(key, text) {
      const entry = held.get(key) ?? { lines: [], dropped: 0, partial: "" };
      held.set(key, entry);
      const whole = entry.partial + text;
      const end = whole.lastIndexOf("\n") + 1;
      const cut = end === 0 && whole.length > maxLineLength ? whole.length : end;
      entry.partial = whole.slice(cut);
      const lines = printableLines(whole.slice(0, cut));
      for (const line of lines) entry.lines.push(line);
      if (entry.lines.length > 2 * maxLines) {
        entry.dropped += entry.lines.length - maxLines;
        entry.lines = entry.lines.slice(-maxLines);
      }
      return lines;
    },
    take(key) {
      const { lines, dropped, partial } = held.get(key) ?? { lines: [], dropped: 0, partial: "" };
      held.delete(key);
      const unfinished = printableLines(partial);
      const all = [...lines, ...unfinished];
      return { lines: all.slice(-maxLines), dropped: dropped + Math.max(0, all.length - maxLines), unfinished };
    },
  };
}
