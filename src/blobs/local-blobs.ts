/**
 * Content-addressed bytes on the local disk: `<stateDir>/blobs/sha256/ab/cdef…`, read-only files. What is given out was
 * verified against its digest. Nothing is scrubbed here: callers hand over what may be stored.
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
 * Opens the store; nothing is created before the first `put`. `get` and `pathOf` fail with `state-damaged` where a blob is gone
 * or is not what its digest says, `put` with `state-unwritable`. Writing the same bytes again repairs a damaged blob. What `put` and
 * `pathOf` gave is safe from a cleanup for an hour, and as long as the run goes on that asked for it.
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
  if ((await holds(file, digest, bytes.length)) === "intact") return stored;
  const created = await tryIo(() => createStateDirectory(stateDir));
  if (!created.ok) return err(stateUnwritable(stateDir, created.error));
  const written = await writeFileDurably(file, bytes, 0o444);
  if (written.ok) return stored;
  // Where renaming over an open or read-only file is refused (Windows), another writer of the same bytes may have won.
  return (await holds(file, digest, bytes.length)) === "intact" ? stored : err(stateUnwritable(file, written.error));
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

async function holds(file: string, digest: Digest, size: number): Promise<"intact" | "other"> {
  const found = await tryIo(async () => {
    const { size: there, mtimeMs } = await stat(file);
    if (there !== size) return undefined;
    // Before its bytes are judged: a cleanup that moves it away afterwards sees that it is wanted.
    await touchBlob(file, mtimeMs);
    return digestOfFile(file);
  });
  return found.ok && found.value === digest ? "intact" : "other";
}

function readFailure(file: string, digest: Digest, problem: IoProblem): Failure {
  return problem.code === "ENOENT"
    ? { reason: "state-damaged", path: file, detail: `blob ${digest} is missing` }
    : stateUnreadable(file, problem);
}

function damaged(file: string, digest: Digest): Failure {
  return { reason: "state-damaged", path: file, detail: `the bytes are not those of ${digest}` };
}
