/** The end of a stream of bytes, and bytes as text that a terminal cannot be tricked with. Pure. */

import { withoutSequences } from "./control-characters.ts";

/** Holds the last bytes of a stream. */
export interface StreamEnd {
  /** Takes bytes; copies them. */
  push(bytes: Uint8Array): void;
  /** Bytes held now. */
  readonly size: number;
  /** Bytes that ever came. */
  readonly total: number;
  parts(): readonly Uint8Array[];
  /** As UTF-8; a character that is cut at the front is left out, bytes that are none are replaced. */
  text(): string;
}

/** Keeps the last `limit` bytes in pieces; pushing costs no more than copying. */
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

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be found.
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text without escape sequences and control characters, but for `\n` and `\t`; a lone carriage return ends a line. */
export function cleanText(text: string): string {
  return withoutSequences(text).replace(/\r\n?/g, "\n").replace(controls, "");
}
