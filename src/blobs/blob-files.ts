/**
 * Blobs as files: where each lies, which there are, and how one goes. A blob that is stored or used again is touched, so that its
 * file's time tells when somebody last counted on it.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, rename, rm, stat, utimes } from "node:fs/promises";
import path from "node:path";
import { type Digest, isDigest } from "../core/digest.ts";
import { err, ok, type Result } from "../core/result.ts";
import { stateUnreadable, tryIo } from "../platform/files.ts";

/** A blob on disk, whatever its bytes are. `touchedAt` in milliseconds since the epoch, `size` in bytes. */
export interface BlobFile {
  readonly digest: Digest;
  readonly file: string;
  readonly size: number;
  readonly touchedAt: number;
}

/** Blobs that were touched this recently are not touched again: in milliseconds, and well below any cleanup's grace. */
const touchAgainMs = 5 * 60_000;

/** Where a blob lies. */
export function blobFile(stateDir: string, digest: Digest): string {
  const hex = digest.slice("sha256:".length);
  return path.join(blobsDirectory(stateDir), hex.slice(0, 2), hex.slice(2));
}

/** All blobs, and what writers that died left beside them. Fails with `state-unreadable`. */
export async function listBlobs(
  stateDir: string,
): Promise<Result<{ readonly blobs: readonly BlobFile[]; readonly torn: readonly string[] }>> {
  const directory = blobsDirectory(stateDir);
  const blobs: BlobFile[] = [];
  const torn: string[] = [];
  const prefixes = await namesIn(directory);
  if (!prefixes.ok) return prefixes;
  for (const prefix of prefixes.value) {
    const names = await namesIn(path.join(directory, prefix));
    if (!names.ok) return names;
    for (const name of names.value) {
      const file = path.join(directory, prefix, name);
      const digest = `sha256:${prefix}${name}`;
      if (name.startsWith(".")) torn.push(file);
      const found = isDigest(digest) ? await tryIo(() => stat(file)) : undefined;
      if (found?.ok && isDigest(digest)) blobs.push({ digest, file, size: found.value.size, touchedAt: found.value.mtimeMs });
    }
  }
  return ok({ blobs, torn });
}

/** The digest of a file's bytes. Rejects as reading does. */
export async function digestOfFile(file: string): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

/** Says that somebody counts on a blob. What the file system refuses is no failure: the blob is then younger than it looks to nobody. */
export async function touchBlob(file: string, touchedAt: number): Promise<void> {
  const now = Date.now();
  if (now - touchedAt > touchAgainMs) await tryIo(() => utimes(file, now / 1000, now / 1000));
}

/**
 * Removes a blob unless it was touched at or after `before` (milliseconds since the epoch), also in the very moment: it is moved aside
 * first, looked at again, and put back if somebody counts on it. Says whether it went.
 */
export async function removeBlob({ file }: BlobFile, before: number): Promise<boolean> {
  const aside = path.join(path.dirname(file), `.${path.basename(file)}.going`);
  const went = await tryIo(async () => {
    await rename(file, aside);
    const still = (await stat(aside)).mtimeMs < before;
    await (still ? rm(aside, { force: true }) : rename(aside, file));
    return still;
  });
  return went.ok && went.value;
}

function blobsDirectory(stateDir: string): string {
  return path.join(stateDir, "blobs", "sha256");
}

async function namesIn(directory: string): Promise<Result<readonly string[]>> {
  const listed = await tryIo(() => readdir(directory));
  if (listed.ok) return ok(listed.value.sort());
  return listed.error.code === "ENOENT" || listed.error.code === "ENOTDIR" ? ok([]) : err(stateUnreadable(directory, listed.error));
}
