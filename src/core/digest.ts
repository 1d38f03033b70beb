/**
 * Digests. Every digest in Wave is `sha256:` and 64 hex digits. Digests of values are taken over canonical JSON (keys
 * sorted by code unit, undefined members omitted), so the order of keys in a manifest does not matter.
 */
import { hash } from "node:crypto";

/** `sha256:<64 hex digits>`. */
export type Digest = `sha256:${string}`;

/** Whether a text has the shape of a digest. */
export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/** The digest of bytes, or of a text's UTF-8 bytes. */
export function digestOfBytes(bytes: Uint8Array | string): Digest {
  return `sha256:${hash("sha256", bytes, "hex")}`;
}

/** The digest of a JSON-like value. Undefined members are omitted, as in JSON. */
export function digestOfValue(value: unknown): Digest {
  return digestOfBytes(canonicalJson(value));
}

/** JSON with sorted keys and no white space. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value)) ?? "null";
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}
