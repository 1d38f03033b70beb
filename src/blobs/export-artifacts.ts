/** Takes a run's artifacts out of the store: as files of a directory, or to compare each with its digest. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { type Digest, digestOfBytes } from "../core/digest.ts";
import type { ArtifactRef } from "../core/event.ts";
import type { BlobStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { tryIo, writeFileDurably } from "../platform/files.ts";

/** An artifact and the step that left it. */
export interface LeftArtifact extends ArtifactRef {
  readonly step: string;
}

/** Where an artifact was put. */
export interface ExportedArtifact extends LeftArtifact {
  readonly file: string;
}

/** An artifact that is not as it was stored: why, in a sentence. */
export interface LostArtifact extends LeftArtifact {
  readonly problem: string;
}

/**
 * Writes artifacts to `DIRECTORY/STEP/NAME`, with the ending of the file that each was collected from. A file that is there already
 * with the same bytes stays. Fails with `usage` where another file stands or the directory takes no files, before anything is written in
 * the first case, and as the store does.
 */
export async function exportArtifacts(
  artifacts: readonly LeftArtifact[],
  directory: string,
  blobs: BlobStore,
): Promise<Result<readonly ExportedArtifact[]>> {
  const exported = artifacts.map((artifact) => ({ ...artifact, file: placeOf(artifact, directory) }));
  const missing: ExportedArtifact[] = [];
  for (const artifact of exported) {
    const there = await tryIo(() => readFile(artifact.file));
    if (!there.ok && there.error.code === "ENOENT") missing.push(artifact);
    else if (!there.ok || digestOfBytes(there.value) !== artifact.digest) {
      const message = `\`${artifact.file}\` is there already, and is not artifact \`${artifact.name}\` of step \`${artifact.step}\``;
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

/** The artifacts whose bytes are gone or are not those of their digest. Each blob is read once. */
export async function verifyArtifacts(artifacts: readonly LeftArtifact[], blobs: BlobStore): Promise<Result<readonly LostArtifact[]>> {
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

function placeOf({ step, name, source }: LeftArtifact, directory: string): string {
  const ending = path.posix.extname(source);
  return path.join(directory, step, name.endsWith(ending) ? name : `${name}${ending}`);
}
