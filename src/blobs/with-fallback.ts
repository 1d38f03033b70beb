/** A store of blobs that looks elsewhere for what is not here, or not what its digest says. */
import type { Digest } from "../core/digest.ts";
import type { BlobStore } from "../core/ports.ts";
import type { Result } from "../core/result.ts";

/** Brings a blob into the local store, verified. Says whether it is there now. */
export type BlobFetcher = (digest: Digest) => Promise<boolean>;

/** Asks `bring` once for each blob that the local store does not have. What it does not find fails as it does without it. */
export function withFallback(local: BlobStore, fetchBlob: BlobFetcher): BlobStore {
  const asked = new Map<Digest, Promise<boolean>>();
  const orBring = async <T>(digest: Digest, read: () => Promise<Result<T>>): Promise<Result<T>> => {
    const here = await read();
    if (here.ok || here.error.reason !== "state-damaged") return here;
    const brought = asked.get(digest) ?? fetchBlob(digest);
    asked.set(digest, brought);
    return (await brought) ? read() : here;
  };
  return {
    put: local.put,
    get: (digest) => orBring(digest, () => local.get(digest)),
    pathOf: (digest) => orBring(digest, () => local.pathOf(digest)),
  };
}
