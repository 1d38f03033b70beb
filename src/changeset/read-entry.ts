/** Reads the content of a file or symlink and its state: mode, digest, size. It never follows a symlink and opens no pipes. */
import { createHash } from "node:crypto";
import { closeSync, constants, openSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { FileState } from "../core/changeset.ts";
import { type Digest, digestOfBytes } from "../core/digest.ts";
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { fsPath } from "../text/path-bytes.ts";
import { formatSize } from "../text/quantity.ts";
import { shown } from "./disk.ts";

/** A leaf's state, and a way to its bytes: those of large files are read again when they are wanted. */
export interface EntryContent {
  readonly state: Extract<FileState, { digest: Digest }>;
  /** Throws the file system's errors. */
  bytes(): Promise<Uint8Array>;
}

/** The largest file that a changeset carries, in bytes, where nothing else is said. */
export const defaultFileBytes = 2 ** 30;

/** Up to this size, in bytes, a file is read in one go and kept until it is stored. */
const inlineBytes = 1 << 20;
const chunkBytes = 1 << 20;
// Windows has neither flag.
const safely = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Reads what `lstat` found at a path. Fails with `changeset-refused` where it is no file or symlink any more, cannot be read, or has
 * more than `limit` bytes.
 */
export async function readEntry(root: string, path: string, stats: Stats, limit: number = defaultFileBytes): Promise<Result<EntryContent>> {
  if (!stats.isSymbolicLink() && stats.size > limit) {
    return refused(path, `it has ${formatSize(stats.size)}; files of more than ${formatSize(limit)} cannot be kept`);
  }
  try {
    if (stats.isSymbolicLink()) return ok(held("120000", readlinkSync(fsPath(root, path), { encoding: "buffer" })));
    const mode = (stats.mode & 0o100) === 0 ? "100644" : "100755";
    const narrow = narrowPermissions(stats, mode);
    if (stats.size <= inlineBytes) return ok(held(mode, readSmall(root, path), narrow));
    const size = { bytes: 0 };
    const hash = createHash("sha256");
    await eachChunk(root, path, (chunk) => {
      hash.update(chunk);
      size.bytes += chunk.length;
    });
    const state = { mode, digest: `sha256:${hash.digest("hex")}`, size: size.bytes, ...narrow } as const;
    return ok({ state, bytes: () => readLarge(root, path) });
  } catch (error) {
    return refused(path, `it cannot be read: ${describeIoError(error).detail}`);
  }
}

/** The failure for a path whose content no changeset can carry. */
export function refused(path: string, detail: string): Result<never, Failure> {
  return err({ reason: "changeset-refused", path: shown(path), detail });
}

/** The permissions of a file if they are less than what the umask leaves a new one. Windows has none. */
function narrowPermissions(stats: Stats, mode: "100644" | "100755"): Pick<EntryContent["state"], "permissions"> {
  const usual = (mode === "100755" ? 0o777 : 0o666) & ~process.umask();
  const permissions = stats.mode & usual;
  return process.platform === "win32" || permissions === usual ? {} : { permissions };
}

/** The content that bytes in memory are; `narrow` has the permissions of a file if they are less than usual. */
export function held(
  mode: "100644" | "100755" | "120000",
  bytes: Uint8Array,
  { permissions }: Pick<EntryContent["state"], "permissions"> = {},
): EntryContent {
  const narrow = permissions === undefined ? {} : { permissions };
  return { state: { mode, digest: digestOfBytes(bytes), size: bytes.length, ...narrow }, bytes: async () => bytes };
}

function readSmall(root: string, path: string): Uint8Array {
  const file = openSync(fsPath(root, path), safely);
  try {
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

async function readLarge(root: string, path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  await eachChunk(root, path, (chunk) => void chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

async function eachChunk(root: string, path: string, take: (chunk: Uint8Array) => void): Promise<void> {
  const handle: FileHandle = await open(fsPath(root, path), safely);
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      take(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}
