/** Buffers the output of running attempts as whole printable lines. The oldest lines are dropped first. */
import { printableLines } from "../../text/printable.ts";

/** Lines kept per attempt. The log of the attempt has all of them. */
const maxLines = 5000;

/** Characters after which a line without a line break is cut. */
const maxLineLength = 16_384;

export interface OutputBuffer {
  /** Adds text. Returns the lines that it completes. */
  push(key: string, text: string): string[];
  /** Removes and returns the kept lines of an attempt, including a last line without a line break. */
  take(key: string): { readonly lines: string[]; readonly dropped: number; readonly unfinished: string[] };
}

interface AttemptOutput {
  lines: string[];
  dropped: number;
  partial: string;
}

/** An empty buffer. Each attempt has its own key. */
export function outputBuffer(): OutputBuffer {
  const outputs = new Map<string, AttemptOutput>();
  return {
    push(key, text) {
      const entry = outputs.get(key) ?? { lines: [], dropped: 0, partial: "" };
      outputs.set(key, entry);
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
      const { lines, dropped, partial } = outputs.get(key) ?? { lines: [], dropped: 0, partial: "" };
      outputs.delete(key);
      const unfinished = printableLines(partial);
      const all = [...lines, ...unfinished];
      return { lines: all.slice(-maxLines), dropped: dropped + Math.max(0, all.length - maxLines), unfinished };
    },
  };
}
