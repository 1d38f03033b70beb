/**
 * Content-addressed blobs on the local disk: read-only files `<stateDir>/blobs/sha256/ab/cdef…`. Reads are verified against the digest.
 * It does not redact secrets: callers do that before they store bytes.
 */
import { stat } from "node:fs/promises";
import { type Digest, digestOfBytes } from "../core/digest.ts";
import type { Failure } from "../core/failure.ts";
import type { BlobStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import {
  createStateDirectory,
  type IoProblem,
  readRegularFile,
  stateUnreadable,
  stateUnwritable,
  tryIo,
  writeFileDurably,
} from "../platform/files.ts";
import { blobFile, digestOfFile, touchBlob } from "./blob-files.ts";

/**
 * Opens the store; the first `put` creates the directory. `get` and `pathOf` fail with `state-damaged` if a blob is missing or does not
 * match its digest, and with `state-unreadable`; `put` fails with `state-unwritable`. Writing the same bytes again repairs a damaged
 * blob. A cleanup keeps a blob for an hour after `put` or `pathOf`, and for as long as the run that used it is running.
 */
export function localBlobs(stateDir: string): BlobStore {
  const fileOf = (digest: Digest) => blobFile(stateDir, digest);
  return {
    put: (bytes) => put(stateDir, fileOf, bytes),
    get: (digest) => get(fileOf(digest), digest),
    pathOf: (digest) => pathOf(fileOf(digest), digest),
  };
}

async function put(
  stateDir: string,
  fileOf: (digest: Digest) => string,
  bytes: Uint8Array,
): Promise<Result<{ digest: Digest; size: number }>> {
  const digest = digestOfBytes(bytes);
  const file = fileOf(digest);
  const stored = ok({ digest, size: bytes.length });
  if (await isIntact(file, digest, bytes.length)) return stored;
  const created = await tryIo(() => createStateDirectory(stateDir));
  if (!created.ok) return err(stateUnwritable(stateDir, created.error));
  const written = await writeFileDurably(file, bytes, 0o444);
  if (written.ok) return stored;
  // Windows refuses to rename over an open or read-only file; another writer of the same bytes may have won.
  return (await isIntact(file, digest, bytes.length)) ? stored : err(stateUnwritable(file, written.error));
}

async function get(file: string, digest: Digest): Promise<Result<Uint8Array>> {
  const read = await tryIo(() => readRegularFile(file));
  if (!read.ok) return err(readFailure(file, digest, read.error));
  if (read.value === undefined) return err(damaged(file, digest));
  return digestOfBytes(read.value) === digest ? ok(read.value) : err(damaged(file, digest));
}

async function pathOf(file: string, digest: Digest): Promise<Result<string>> {
  const found = await tryIo(async () => {
    const stats = await stat(file);
    if (!stats.isFile()) return undefined;
    await touchBlob(file, stats.mtimeMs);
    return digestOfFile(file);
  });
  if (!found.ok) return err(readFailure(file, digest, found.error));
  return found.value === digest ? ok(file) : err(damaged(file, digest));
}

async function isIntact(file: string, digest: Digest, size: number): Promise<boolean> {
  const actual = await tryIo(async () => {
    const { size: actualSize, mtimeMs } = await stat(file);
    if (actualSize !== size) return undefined;
    // Touch before hashing, so that a concurrent cleanup sees that the blob is in use.
    await touchBlob(file, mtimeMs);
    return digestOfFile(file);
  });
  return actual.ok && actual.value === digest;
}

function readFailure(file: string, digest: Digest, problem: IoProblem): Failure {
  return problem.code === "ENOENT"
    ? { reason: "state-damaged", path: file, detail: `blob ${digest} is missing` }
    : stateUnreadable(file, problem);
}

function damaged(file: string, digest: Digest): Failure {
  return { reason: "state-damaged", path: file, detail: `the bytes do not match ${digest}` };
}
