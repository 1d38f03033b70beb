/** Keeps the end of a byte stream, and removes control characters from text. Pure. */

import { withoutSequences } from "./control-characters.ts";

/** The last bytes of a stream. */
export interface StreamEnd {
  /** Appends a copy of the bytes. */
  push(bytes: Uint8Array): void;
  /** The number of bytes kept. */
  readonly size: number;
  /** The number of bytes ever pushed. */
  readonly total: number;
  parts(): readonly Uint8Array[];
  /** The kept bytes as UTF-8. A character cut at the start is omitted; invalid bytes become U+FFFD. */
  text(): string;
}

/** Keeps the last `limit` bytes. A push takes no longer than a copy. */
export function keepEnd(limit: number): StreamEnd {
  const pieces: Uint8Array[] = [];
  let size = 0;
  let total = 0;
  return {
    get size() {
      return size;
    },
    get total() {
      return total;
    },
    push(bytes) {
      total += bytes.length;
      if (bytes.length === 0) return;
      const last = Buffer.from(bytes.subarray(Math.max(0, bytes.length - limit)));
      pieces.push(last);
      size += last.length;
      while (size > limit) {
        const first = pieces[0] ?? last;
        const surplus = Math.min(first.length, size - limit);
        if (surplus === first.length) pieces.shift();
        else pieces[0] = first.subarray(surplus);
        size -= surplus;
      }
    },
    parts: () => pieces,
    text: () => {
      const bytes = Buffer.concat(pieces);
      let start = 0;
      while (total > size && start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
      return bytes.toString("utf8", start);
    },
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches control characters
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Removes escape sequences and control characters except `\n` and `\t`. Carriage returns become line feeds. */
export function cleanText(text: string): string {
  return withoutSequences(text).replace(/\r\n?/g, "\n").replace(controls, "");
}
