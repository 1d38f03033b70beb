/**
 * Signs the lines of journals with a key that the jobs of a workflow share. A line's hash covers its bytes, its run,
 * its writer and the line before it, so a signature over the hash covers them too. HMAC-SHA-256, RFC 2104.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** The purpose and version of a signature: one made for another purpose is never valid here. */
const domain = "wave journal line v1";
const pattern = /^v1:([0-9a-f]{64})$/;

export interface LineSigner {
  /** The `sig` of a line: `v1:` and 64 hex digits. `hash`: the line's own. */
  sign(hash: string): string;
  /** Whether `sig` was made for this hash with the same key. */
  verify(hash: string, sig: string | undefined): boolean;
}

/** Signs and verifies with a key of any length. */
export function lineSigner(key: string): LineSigner {
  const mac = (hash: string) => createHmac("sha256", key).update(`${domain}\0${hash}`).digest();
  return {
    sign: (hash) => `v1:${mac(hash).toString("hex")}`,
    verify(hash, sig) {
      const given = pattern.exec(sig ?? "")?.[1];
      return given !== undefined && timingSafeEqual(Buffer.from(given, "hex"), mac(hash));
    },
  };
}
