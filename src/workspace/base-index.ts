/**
 * Computes the object ids of files, with a cache that avoids hashing them again. An id is that of git's blob for the file,
 * so committing a file changes no id. The cache may be lost, and failed writes to it are ignored.
 */

import { createHash, type Hash, randomBytes } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { BaseEntry } from "../core/base.ts";
import { describeIoError, ignoreStateSync } from "../platform/files.ts";
import { fsPath } from "../text/path-bytes.ts";

/** The id of a file, with the stat data for which it is valid. */
type Remembered = readonly [mtimeNs: string, ctimeNs: string, size: string, ino: string, oid: string];

export interface BaseIndex {
  readonly algorithm: "sha1" | "sha256";
  readonly known: ReadonlyMap<string, Remembered>;
  readonly next: Map<string, Remembered>;
  /** Files changed later than this may change again without a new time stamp: they are not cached. */
  readonly racyFromNs: bigint;
  hashed: number;
  /** The total size of the hashed files in bytes. */
  hashedBytes: number;
  readonly file: string;
}

/** Caches for the files that git lists, and for those that it ignores. */
export type IndexFile = "base-index.json" | "ignored-index.json";
const version = 1;
/** The coarsest time stamps in use (FAT) have a resolution of two seconds. */
const racyMs = 2000;
const chunkBytes = 1 << 20;

/** Reads the cache; an unreadable one counts as empty. `nowMs`: start of hashing, in milliseconds since the epoch. */
export function openBaseIndex(
  stateDir: string,
  algorithm: "sha1" | "sha256",
  nowMs: number = Date.now(),
  file: IndexFile = "base-index.json",
): BaseIndex {
  return {
    algorithm,
    known: readKnown(path.join(stateDir, file), algorithm),
    next: new Map(),
    racyFromNs: BigInt(nowMs - racyMs) * 1_000_000n,
    hashed: 0,
    hashedBytes: 0,
    file,
  };
}

/** Writes the cache if new files were hashed. Leaves no file behind on failure. */
export function saveBaseIndex(stateDir: string, index: BaseIndex): void {
  if (index.hashed === 0 || index.next.size === 0) return;
  const target = path.join(stateDir, index.file);
  const temporary = `${target}.${randomBytes(6).toString("hex")}`;
  try {
    ignoreStateSync(stateDir);
    writeFileSync(temporary, JSON.stringify({ version, algorithm: index.algorithm, files: Object.fromEntries(index.next) }), {
      flag: "wx",
      mode: 0o600,
    });
    renameSync(temporary, target);
  } catch {
    removeIfThere(temporary);
  }
}

/** Nothing to remove if the state directory is not even a directory. */
function removeIfThere(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    describeIoError(error);
  }
}

/**
 * The entry for a path; `directory` for a directory. Undefined if it does not exist, or is neither a file nor a symlink.
 * `indexMode`: git's mode, for file systems without an executable bit.
 */
export function entryAt(root: string, name: string, index: BaseIndex, indexMode?: string): BaseEntry | "directory" | undefined {
  const absolute = fsPath(root, name);
  const stats = statOf(absolute);
  if (stats === undefined) return undefined;
  if (stats === "unreadable") return { path: name, mode: "100644", oid: "unreadable" };
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return { path: name, mode: "120000", oid: oidOfLink(absolute, index.algorithm) };
  if (!stats.isFile()) return undefined;
  const executable = process.platform === "win32" ? indexMode === "100755" : (stats.mode & 0o100n) !== 0n;
  return { path: name, mode: executable ? "100755" : "100644", oid: oidOfFile(absolute, name, stats, index) };
}

function oidOfFile(absolute: string | Buffer, name: string, stats: BigIntStats, index: BaseIndex): string {
  const stat = [String(stats.mtimeNs), String(stats.ctimeNs), String(stats.size), String(stats.ino)] as const;
  const known = index.known.get(name);
  const same = known !== undefined && stat.every((part, at) => part === known[at]);
  const oid = same ? known[4] : hashFile(absolute, Number(stats.size), index.algorithm);
  if (!same) {
    index.hashed++;
    index.hashedBytes += Number(stats.size);
  }
  const isStable = stats.mtimeNs < index.racyFromNs && stats.ctimeNs < index.racyFromNs;
  if (isStable && oid !== "unreadable") index.next.set(name, [...stat, oid]);
  return oid;
}

function oidOfLink(absolute: string | Buffer, algorithm: "sha1" | "sha256"): string {
  try {
    const target = readlinkSync(absolute, { encoding: "buffer" });
    return blobHash(target.length, algorithm).update(target).digest("hex");
  } catch {
    return "unreadable";
  }
}

/** An unreadable file counts by its name: a step cannot read it either. */
function hashFile(absolute: string | Buffer, size: number, algorithm: "sha1" | "sha256"): string {
  try {
    if (size <= chunkBytes) {
      const bytes = readFileSync(absolute);
      return blobHash(bytes.length, algorithm).update(bytes).digest("hex");
    }
    return hashInChunks(absolute, size, algorithm);
  } catch {
    return "unreadable";
  }
}

function hashInChunks(absolute: string | Buffer, size: number, algorithm: "sha1" | "sha256"): string {
  const file = openSync(absolute, constants.O_RDONLY);
  try {
    const hash = blobHash(size, algorithm);
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let count = readSync(file, chunk); count > 0; count = readSync(file, chunk)) hash.update(chunk.subarray(0, count));
    return hash.digest("hex");
  } finally {
    closeSync(file);
  }
}

function blobHash(size: number, algorithm: "sha1" | "sha256"): Hash {
  return createHash(algorithm).update(`blob ${size}\0`);
}

function statOf(absolute: string | Buffer): BigIntStats | "unreadable" | undefined {
  try {
    return lstatSync(absolute, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    // A parent became a file, or the name is invalid on this system: the path does not exist.
    const code = (error as NodeJS.ErrnoException).code;
    return code === "EACCES" || code === "EPERM" ? "unreadable" : undefined;
  }
}

function readKnown(file: string, algorithm: "sha1" | "sha256"): ReadonlyMap<string, Remembered> {
  try {
    const stored: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (!isStored(stored) || stored.version !== version || stored.algorithm !== algorithm) return new Map();
    return new Map(Object.entries(stored.files).filter((entry): entry is [string, Remembered] => isRemembered(entry[1])));
  } catch {
    return new Map();
  }
}

function isStored(value: unknown): value is { version: unknown; algorithm: unknown; files: object } {
  return (
    typeof value === "object" &&
    value !== null &&
    "version" in value &&
    "algorithm" in value &&
    "files" in value &&
    typeof value.files === "object" &&
    value.files !== null
  );
}

function isRemembered(value: unknown): value is Remembered {
  return (
    Array.isArray(value) &&
    value.length === 5 &&
    value.every((part) => typeof part === "string") &&
    /^[0-9a-f]{40,64}$/.test(String(value[4]))
  );
}
