/**
 * The seal of the database's file: a last line with the digest of all bytes before it. SQLite finds page and row damage, but not a
 * changed byte in a text or in unused space; the seal shows any. SQLite itself ignores what stands behind its last page, so
 * every other program reads the file as it is, and one that writes to it breaks the seal. Pure.
 */
import { digestOfBytes } from "../core/digest.ts";

const sealed = /^wave (sha256:[0-9a-f]{64})\n$/;
/** `wave `, a digest, a line feed. */
const sealLength = 5 + 7 + 64 + 1;

/** `missing`: another program wrote the file, or its end is gone. */
export type Seal = "intact" | "broken" | "missing";

/** The bytes of a database with their seal. */
export function sealDatabase(content: Uint8Array): Uint8Array {
  return Buffer.concat([content, Buffer.from(`wave ${digestOfBytes(content)}\n`)]);
}

/** What a file holds, without its seal, and whether the seal is that of what it holds. */
export function openSeal(bytes: Uint8Array): { readonly content: Uint8Array; readonly seal: Seal } {
  const at = bytes.length - sealLength;
  const digest = at < 0 ? undefined : sealed.exec(Buffer.from(bytes.subarray(at)).toString("latin1"))?.[1];
  if (digest === undefined) return { content: bytes, seal: "missing" };
  const content = bytes.subarray(0, at);
  return { content, seal: digestOfBytes(content) === digest ? "intact" : "broken" };
}
