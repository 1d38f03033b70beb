/** Changesets in the store of blobs. */
import type { Changeset } from "../core/changeset.ts";
import type { Digest } from "../core/digest.ts";
import type { BlobStore } from "../core/ports.ts";
import { err, type Result } from "../core/result.ts";
import { decodeChangeset } from "./combine-changes.ts";

/** Reads a changeset. Fails as the store does, and with `state-damaged` where the blob is no changeset. */
export async function readChangeset(blobs: BlobStore, digest: Digest): Promise<Result<Changeset>> {
  const bytes = await blobs.get(digest);
  if (!bytes.ok) return bytes;
  const changes = decodeChangeset(bytes.value);
  if (changes.ok) return changes;
  return err({ reason: "state-damaged", path: `blob ${digest}`, detail: `it is no changeset: ${changes.error}` });
}
