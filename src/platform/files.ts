/**
 * Writes durable files, and converts errors of the file system to values. It does not know the content of files.
 */
import { randomBytes } from "node:crypto";
import { constants, realpathSync, writeFileSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";
import { makeClosedDirectories } from "./private-state.ts";

/** An error of the file system: an errno name (ENOSPC, EROFS, EACCES) and a message. */
export interface IoProblem {
  readonly code: string;
  readonly detail: string;
}

const messages: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on the device",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EACCES: "permission denied",
  EPERM: "the operation is not permitted",
  EFBIG: "the file would become larger than allowed",
  ENOENT: "there is no such file or directory",
  ENOTDIR: "a part of the path is not a directory",
  EISDIR: "it is a directory",
  EEXIST: "it already exists",
  EMFILE: "too many files are open",
  EIO: "the device reported an input/output error",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "too many symbolic links",
};

/** Converts an error of the file system to a value. Any other error is a bug and is rethrown. */
export function describeIoError(error: unknown): IoProblem {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") throw error;
  if (!/^E[A-Z0-9]+$/.test(error.code)) throw error;
  return { code: error.code, detail: messages[error.code] ?? error.message };
}

/** Errors of a machine that is full, broken or at its limits. The operation is never at fault. */
const troubles: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE", "ENOMEM"]);

/** The machine's problem that caused an error; undefined for any other error. */
export function machineTrouble(error: unknown): IoProblem | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string" || !troubles.has(error.code)) return undefined;
  return { code: error.code, detail: error.message };
}

/** Runs `work` and converts an error of the file system to a value. */
export async function tryIo<T>(work: () => Promise<T>): Promise<Result<T, IoProblem>> {
  try {
    return ok(await work());
  } catch (error) {
    return err(describeIoError(error));
  }
}

/** The failure of a write to state. */
export function stateUnwritable(file: string, problem: IoProblem): Failure {
  return { reason: "state-unwritable", path: file, code: problem.code, detail: problem.detail };
}

/** The failure of a read from state. */
export function stateUnreadable(file: string, problem: IoProblem): Failure {
  return { reason: "state-unreadable", path: file, detail: problem.detail };
}

/** The failure of a run whose journal no longer exists. */
export function stateGone(stateDir: string): Failure {
  const detail = "the project or the state directory was moved or removed while the run was executed";
  return { reason: "state-unwritable", path: stateDir, code: "ENOENT", detail };
}

/** A path without symbolic links; undefined if it does not exist or cannot be resolved. */
export function realPlace(place: string): string | undefined {
  try {
    return realpathSync(place);
  } catch {
    return undefined;
  }
}

/** Writes all bytes, even if the system writes fewer at a time. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, offset, bytes.length - offset, null);
    offset += bytesWritten;
  }
}

/** Makes the names in a directory durable. Not needed on Windows, which cannot open directories. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } catch (error) {
    if (describeIoError(error).code !== "EINVAL") throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Writes a file atomically: after a crash the path has either its previous content or all bytes (temporary file in the same directory,
 * fsync, rename, fsync of the directory). Creates the directory. `mode` defaults to 0o644. If root writes a file that only its user may
 * access, the file belongs to the directory's owner.
 */
export async function writeFileDurably(file: string, bytes: Uint8Array, mode = 0o644): Promise<Result<void, IoProblem>> {
  return tryIo(async () => {
    const directory = path.dirname(file);
    const created = await mkdir(directory, { recursive: true });
    const temporary = path.join(directory, `.${path.basename(file)}.${randomBytes(6).toString("hex")}.tmp`);
    try {
      const handle = await open(temporary, "wx", mode);
      try {
        await writeAll(handle, bytes);
        if ((mode & 0o077) === 0 && process.getuid?.() === 0) await ownAsDirectory(handle, directory);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncCreated(directory, created);
  });
}

async function ownAsDirectory(handle: FileHandle, directory: string): Promise<void> {
  const { uid, gid } = await stat(directory);
  if (uid !== 0) await handle.chown(uid, gid);
}

/** Makes a directory and the parents created with it durable. `created` is the result of `mkdir`: the topmost created directory. */
export async function syncCreated(directory: string, created: string | undefined): Promise<void> {
  const last = created === undefined ? directory : path.dirname(created);
  const all = [directory];
  for (let at = directory; at !== last && at !== path.dirname(at); at = path.dirname(at)) all.push(path.dirname(at));
  // In parallel: the order does not matter until all are durable.
  await Promise.all(all.map(syncDirectory));
}

const prepared = new Map<string, Promise<void>>();

/** Creates a state directory that git ignores. Rejects with the file system's error. */
export function createStateDirectory(stateDir: string): Promise<void> {
  const known = prepared.get(stateDir);
  if (known !== undefined) return known;
  const creation = ignoredDirectory(stateDir);
  prepared.set(stateDir, creation);
  creation.catch(() => prepared.delete(stateDir));
  return creation;
}

/**
 * Reads a file; undefined if the path is not a regular file. Does not block on a pipe. Rejects with the file system's errors.
 */
export async function readRegularFile(file: string): Promise<Buffer | undefined> {
  const handle = await openWithoutWaiting(file);
  try {
    return (await handle.stat()).isFile() ? await handle.readFile() : undefined;
  } finally {
    await handle.close();
  }
}

/** Opens a file for reading without blocking on a pipe that has no writer. Rejects with the file system's errors. */
export function openWithoutWaiting(file: string): Promise<FileHandle> {
  return open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
}

/** Makes git ignore an existing state directory. Throws the file system's errors. */
export function ignoreStateSync(stateDir: string): void {
  try {
    writeFileSync(path.join(stateDir, ".gitignore"), "*\n", { flag: "wx" });
  } catch (error) {
    if (describeIoError(error).code !== "EEXIST") throw error;
  }
}

async function ignoredDirectory(stateDir: string): Promise<void> {
  await mkdir(stateDir, { recursive: true });
  makeClosedDirectories(stateDir);
  try {
    await writeFile(path.join(stateDir, ".gitignore"), "*\n", { flag: "wx" });
  } catch (error) {
    if (describeIoError(error).code !== "EEXIST") throw error;
  }
}
