/** Copies a run's artifacts from the blob store into a directory, or verifies them against their digests. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { type Digest, digestOfBytes } from "../core/digest.ts";
import type { ArtifactRef } from "../core/event.ts";
import type { BlobStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { tryIo, writeFileDurably } from "../platform/files.ts";

/** An artifact and the step that produced it. */
export interface ProducedArtifact extends ArtifactRef {
  readonly step: string;
}

/** An artifact and the file it was exported to. */
export interface ExportedArtifact extends ProducedArtifact {
  readonly file: string;
}

/** An artifact whose blob is missing or damaged; `problem` describes how. */
export interface DamagedArtifact extends ProducedArtifact {
  readonly problem: string;
}

/**
 * Writes artifacts to `DIRECTORY/STEP/NAME`, with the extension of the file that each was collected from. Keeps existing files with the
 * same bytes. Fails with `usage` if a different file exists (checked before anything is written) or a file cannot be written, and with
 * the failures of the blob store.
 */
export async function exportArtifacts(
  artifacts: readonly ProducedArtifact[],
  directory: string,
  blobs: BlobStore,
): Promise<Result<readonly ExportedArtifact[]>> {
  const exported = artifacts.map((artifact) => ({ ...artifact, file: placeOf(artifact, directory) }));
  const missing: ExportedArtifact[] = [];
  for (const artifact of exported) {
    const existing = await tryIo(() => readFile(artifact.file));
    if (!existing.ok && existing.error.code === "ENOENT") missing.push(artifact);
    else if (!existing.ok || digestOfBytes(existing.value) !== artifact.digest) {
      const message = `\`${artifact.file}\` already exists and differs from artifact \`${artifact.name}\` of step \`${artifact.step}\``;
      return err({ reason: "usage", message, hint: "export into a new directory" });
    }
  }
  for (const { file, digest } of missing) {
    const bytes = await blobs.get(digest);
    if (!bytes.ok) return bytes;
    const written = await writeFileDurably(file, bytes.value);
    if (!written.ok) return err({ reason: "usage", message: `\`${file}\` cannot be written: ${written.error.detail}` });
  }
  return ok(exported);
}

/** Returns the artifacts whose blob is missing or does not match its digest. Reads each blob once. */
export async function verifyArtifacts(
  artifacts: readonly ProducedArtifact[],
  blobs: BlobStore,
): Promise<Result<readonly DamagedArtifact[]>> {
  const problems = new Map<Digest, string | undefined>();
  for (const { digest } of artifacts) {
    if (problems.has(digest)) continue;
    const verified = await blobs.pathOf(digest);
    if (verified.ok) problems.set(digest, undefined);
    else if (verified.error.reason === "state-damaged") problems.set(digest, verified.error.detail);
    else if (verified.error.reason === "usage") problems.set(digest, verified.error.message);
    else return verified;
  }
  return ok(
    artifacts.flatMap((artifact) => {
      const problem = problems.get(artifact.digest);
      return problem === undefined ? [] : [{ ...artifact, problem }];
    }),
  );
}

function placeOf({ step, name, source }: ProducedArtifact, directory: string): string {
  const ending = path.posix.extname(source);
  return path.join(directory, step, name.endsWith(ending) ? name : `${name}${ending}`);
}
