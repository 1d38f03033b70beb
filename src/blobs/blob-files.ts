/**
 * Blobs as files: their paths, listing, touching and removal. Storing or using a blob touches its file, so the modification time
 * is the time of its last use.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, rename, rm, stat, utimes } from "node:fs/promises";
import path from "node:path";
import { type Digest, isDigest } from "../core/digest.ts";
import { err, ok, type Result } from "../core/result.ts";
import { stateUnreadable, tryIo } from "../platform/files.ts";

/** A blob on disk, not verified. `touchedAt` is in milliseconds since the epoch, `size` in bytes. */
export interface BlobFile {
  readonly digest: Digest;
  readonly file: string;
  readonly size: number;
  readonly touchedAt: number;
}

/** Blobs touched within this time are not touched again. Milliseconds; well below the grace period of a cleanup. */
const touchAgainMs = 5 * 60_000;

/** The path of a blob's file. */
export function blobFile(stateDir: string, digest: Digest): string {
  const hex = digest.slice("sha256:".length);
  return path.join(blobsDirectory(stateDir), hex.slice(0, 2), hex.slice(2));
}

/** Lists all blobs, and the temporary files of interrupted writers in `torn`. Fails with `state-unreadable`. */
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
      const stats = isDigest(digest) ? await tryIo(() => stat(file)) : undefined;
      if (stats?.ok && isDigest(digest)) blobs.push({ digest, file, size: stats.value.size, touchedAt: stats.value.mtimeMs });
    }
  }
  return ok({ blobs, torn });
}

/** The digest of a file's bytes. Rejects if the file cannot be read. */
export async function digestOfFile(file: string): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

/** Marks a blob as in use. Errors are ignored: the modification time then stays older than the last use. */
export async function touchBlob(file: string, touchedAt: number): Promise<void> {
  const now = Date.now();
  if (now - touchedAt > touchAgainMs) await tryIo(() => utimes(file, now / 1000, now / 1000));
}

/**
 * Removes a blob unless it was touched at or after `before` (milliseconds since the epoch). To handle a concurrent touch, it moves the
 * file aside, checks its time again and restores it if it is in use. Returns whether the blob was removed.
 */
export async function removeBlob({ file }: BlobFile, before: number): Promise<boolean> {
  const aside = path.join(path.dirname(file), `.${path.basename(file)}.going`);
  const removed = await tryIo(async () => {
    await rename(file, aside);
    const isUnused = (await stat(aside)).mtimeMs < before;
    await (isUnused ? rm(aside, { force: true }) : rename(aside, file));
    return isUnused;
  });
  return removed.ok && removed.value;
}

function blobsDirectory(stateDir: string): string {
  return path.join(stateDir, "blobs", "sha256");
}

async function namesIn(directory: string): Promise<Result<readonly string[]>> {
  const listed = await tryIo(() => readdir(directory));
  if (listed.ok) return ok(listed.value.sort());
  return listed.error.code === "ENOENT" || listed.error.code === "ENOTDIR" ? ok([]) : err(stateUnreadable(directory, listed.error));
}
