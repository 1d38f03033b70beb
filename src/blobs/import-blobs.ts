/** Imports blobs from a state directory of another job. Refuses files whose bytes do not match the digest in their name. */
import { copyFile, link, lstat, mkdir, readdir, rename } from "node:fs/promises";
import path from "node:path";
import { type Digest, isDigest } from "../core/digest.ts";
import { createStateDirectory, tryIo } from "../platform/files.ts";
import { blobFile, digestOfFile } from "./blob-files.ts";

/** The number of imported blobs, and a message for each refused one. */
export interface ImportedBlobs {
  readonly taken: number;
  readonly refused: readonly string[];
}

/** Imports every blob below `from`, a state directory of another job. A blob that cannot be written counts as refused. */
export async function importBlobs(from: string, stateDir: string): Promise<ImportedBlobs> {
  const refused: string[] = [];
  let taken = 0;
  const root = path.join(from, "blobs", "sha256");
  for (const prefix of await names(root, /^[0-9a-f]{2}$/)) {
    for (const rest of await names(path.join(root, prefix), /^[0-9a-f]{62}$/)) {
      const digest = `sha256:${prefix}${rest}`;
      if (!isDigest(digest)) continue;
      const why = await importBlob(path.join(root, prefix, rest), digest, stateDir);
      if (why === undefined) taken += 1;
      else refused.push(`blob ${digest.slice(0, 19)} was refused: ${why}`);
    }
  }
  return { taken, refused };
}

/** Stores a file as the blob of a digest, if its bytes match. Returns the reason if it does not; undefined if it is stored. */
export async function importBlob(file: string, digest: Digest, stateDir: string): Promise<string | undefined> {
  const target = blobFile(stateDir, digest);
  const imported = await tryIo(async () => {
    if (!(await lstat(file)).isFile() || (await digestOfFile(file)) !== digest) return "its bytes do not match its name";
    await createStateDirectory(stateDir);
    await mkdir(path.dirname(target), { recursive: true });
    const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}.adopted`);
    await link(file, temporary).catch(() => copyFile(file, temporary));
    await rename(temporary, target);
    return undefined;
  });
  return imported.ok ? imported.value : `${imported.error.detail} (${imported.error.code})`;
}

/** The matching names in a directory; empty if it is a link to a directory or cannot be read. */
async function names(directory: string, pattern: RegExp): Promise<readonly string[]> {
  const listed = await tryIo(async () => ((await lstat(directory)).isDirectory() ? readdir(directory) : []));
  return listed.ok ? listed.value.filter((name) => pattern.test(name)).sort() : [];
}
