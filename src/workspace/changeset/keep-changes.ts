/** Changesets in the store of blobs. */
import type { Changeset } from "../../model/changeset.ts";
import { decodeChangeset } from "../../model/combine-changes.ts";
import type { Digest } from "../../model/digest.ts";
import type { ArtifactStore } from "../../model/ports.ts";
import { err, type Result } from "../../model/result.ts";

/** Reads a changeset. Fails as the store does, and with `state-damaged` where the blob is no changeset. */
export async function readChangeset(blobs: ArtifactStore, digest: Digest): Promise<Result<Changeset>> {
  const bytes = await blobs.get(digest);
  if (!bytes.ok) return bytes;
  const changes = decodeChangeset(bytes.value);
  if (changes.ok) return changes;
  return err({ reason: "state-damaged", path: `blob ${digest}`, detail: `it is no changeset: ${changes.error}` });
}
