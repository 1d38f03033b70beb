/** A blob store that fetches missing and damaged blobs from elsewhere. */
import type { Digest } from "../core/digest.ts";
import type { BlobStore } from "../core/ports.ts";
import type { Result } from "../core/result.ts";

/** Fetches a blob into the local store and verifies it. Returns whether the blob is now in the store. */
export type BlobFetcher = (digest: Digest) => Promise<boolean>;

/** Calls `fetchBlob` once for each blob that the local store lacks. If it returns false, the read fails with the local store's failure. */
export function withFallback(local: BlobStore, fetchBlob: BlobFetcher): BlobStore {
  const fetches = new Map<Digest, Promise<boolean>>();
  const orFetch = async <T>(digest: Digest, read: () => Promise<Result<T>>): Promise<Result<T>> => {
    const direct = await read();
    if (direct.ok || direct.error.reason !== "state-damaged") return direct;
    const fetched = fetches.get(digest) ?? fetchBlob(digest);
    fetches.set(digest, fetched);
    return (await fetched) ? read() : direct;
  };
  return {
    put: local.put,
    get: (digest) => orFetch(digest, () => local.get(digest)),
    pathOf: (digest) => orFetch(digest, () => local.pathOf(digest)),
  };
}
