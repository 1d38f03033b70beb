/**
 * The seal of the database file: a last line with the digest of all bytes before it. SQLite detects damaged pages and
 * rows, but not a changed byte in a text or in unused space; the seal detects any. SQLite ignores bytes after its last
 * page, so other programs can read the file, and a program that writes to it breaks the seal. Pure.
 */
import { digestOfBytes } from "../core/digest.ts";

const sealed = /^wave (sha256:[0-9a-f]{64})\n$/;
/** `wave `, a digest, a line feed. */
const sealLength = 5 + 7 + 64 + 1;

/** `missing`: another program wrote the file, or its end was cut off. */
export type Seal = "intact" | "broken" | "missing";

/** The bytes of a database with their seal. */
export function sealDatabase(content: Uint8Array): Uint8Array {
  return Buffer.concat([content, Buffer.from(`wave ${digestOfBytes(content)}\n`)]);
}

/** The content of a file without its seal, and whether the seal matches it. */
export function openSeal(bytes: Uint8Array): { readonly content: Uint8Array; readonly seal: Seal } {
  const at = bytes.length - sealLength;
  const digest = at < 0 ? undefined : sealed.exec(Buffer.from(bytes.subarray(at)).toString("latin1"))?.[1];
  if (digest === undefined) return { content: bytes, seal: "missing" };
  const content = bytes.subarray(0, at);
  return { content, seal: digestOfBytes(content) === digest ? "intact" : "broken" };
}
