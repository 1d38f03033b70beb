/** Checks the artifacts of earlier results. */
import type { ArtifactRef } from "../core/event.ts";
import type { BlobStore } from "../core/ports.ts";

/** Whether every artifact's blob exists and has its digest. True without artifacts. */
export async function blobsVerify(blobs: BlobStore, artifacts: readonly ArtifactRef[]): Promise<boolean> {
  const paths = await Promise.all(artifacts.map((artifact) => blobs.pathOf(artifact.digest)));
  return paths.every((result) => result.ok);
}
