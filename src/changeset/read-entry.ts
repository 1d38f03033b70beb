/** Reads the content of a file or symlink, and its state: mode, digest and size. Never follows a symlink or opens a pipe. */
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

/** An entry's state, and access to its bytes. Large files are read again on each call. */
export interface EntryContent {
  readonly state: Extract<FileState, { digest: Digest }>;
  /** Throws file system errors. */
  bytes(): Promise<Uint8Array>;
}

/** The largest file in a changeset by default, in bytes. */
export const defaultFileBytes = 2 ** 30;

/** Up to this size, in bytes, a file is read at once and kept in memory until it is stored. */
const inlineBytes = 1 << 20;
const chunkBytes = 1 << 20;
// Windows has neither flag.
const safely = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Reads the path for which `lstat` returned `stats`. Fails with `changeset-refused` if it is no longer a file or symlink,
 * is unreadable, or has more than `limit` bytes.
 */
export async function readEntry(root: string, path: string, stats: Stats, limit: number = defaultFileBytes): Promise<Result<EntryContent>> {
  if (!stats.isSymbolicLink() && stats.size > limit) {
    return refused(path, `it has ${formatSize(stats.size)}; the limit is ${formatSize(limit)}`);
  }
  try {
    if (stats.isSymbolicLink()) return ok(contentOfBytes("120000", readlinkSync(fsPath(root, path), { encoding: "buffer" })));
    const mode = (stats.mode & 0o100) === 0 ? "100644" : "100755";
    const narrow = narrowPermissions(stats, mode);
    if (stats.size <= inlineBytes) return ok(contentOfBytes(mode, readSmall(root, path), narrow));
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

/** The failure for a path whose content a changeset cannot contain. */
export function refused(path: string, detail: string): Result<never, Failure> {
  return err({ reason: "changeset-refused", path: shown(path), detail });
}

/** The permissions of a file if they are narrower than the umask's default. Empty on Windows. */
function narrowPermissions(stats: Stats, mode: "100644" | "100755"): Pick<EntryContent["state"], "permissions"> {
  const usual = (mode === "100755" ? 0o777 : 0o666) & ~process.umask();
  const permissions = stats.mode & usual;
  return process.platform === "win32" || permissions === usual ? {} : { permissions };
}

/** The content for bytes in memory. `permissions`: those of a file, if narrower than usual. */
export function contentOfBytes(
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
