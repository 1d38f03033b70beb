/** Reads changesets from the blob store. */
import type { Changeset } from "../core/changeset.ts";
import type { Digest } from "../core/digest.ts";
import type { BlobStore } from "../core/ports.ts";
import { err, type Result } from "../core/result.ts";
import { decodeChangeset } from "./combine-changes.ts";

/** Reads a changeset. Fails like the store, and with `state-damaged` if the blob is not a changeset. */
export async function readChangeset(blobs: BlobStore, digest: Digest): Promise<Result<Changeset>> {
  const bytes = await blobs.get(digest);
  if (!bytes.ok) return bytes;
  const changes = decodeChangeset(bytes.value);
  if (changes.ok) return changes;
  return err({ reason: "state-damaged", path: `blob ${digest}`, detail: `it is not a changeset: ${changes.error}` });
}
