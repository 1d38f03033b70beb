/** Blobs in memory; `lose` makes one vanish. */
import { type Digest, digestOfBytes } from "../../src/core/digest.ts";
import type { BlobStore } from "../../src/core/ports.ts";
import { err, ok } from "../../src/core/result.ts";

export interface MemoryBlobs extends BlobStore {
  lose(digest: Digest): void;
}

export function memoryBlobs(): MemoryBlobs {
  const blobs = new Map<Digest, Uint8Array>();
  const gone = (digest: Digest) => err({ reason: "state-damaged", path: digest, detail: "no such blob" } as const);
  return {
    async put(bytes) {
      const digest = digestOfBytes(bytes);
      blobs.set(digest, bytes);
      return ok({ digest, size: bytes.length });
    },
    async get(digest) {
      const bytes = blobs.get(digest);
      return bytes === undefined ? gone(digest) : ok(bytes);
    },
    async pathOf(digest) {
      return blobs.has(digest) ? ok(`/blobs/${digest}`) : gone(digest);
    },
    lose: (digest) => void blobs.delete(digest),
  };
}
