/** Whether artifacts of earlier work are still what they were. */
import type { ArtifactRef } from "../core/event.ts";
import type { BlobStore } from "../core/ports.ts";

/** True when every blob is there and has its digest. Without artifacts there is nothing to doubt. */
export async function blobsVerify(blobs: BlobStore, artifacts: readonly ArtifactRef[]): Promise<boolean> {
  const found = await Promise.all(artifacts.map((artifact) => blobs.pathOf(artifact.digest)));
  return found.every((result) => result.ok);
}
