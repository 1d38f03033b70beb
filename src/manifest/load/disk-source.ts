/** Reads project files from disk. Never reads outside the project, even through symlinks, and never writes. */
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import type { FileRead, FileSource } from "../../core/ports.ts";
import { staysInside } from "../../core/project-path.ts";
import { isInside } from "../../platform/paths.ts";

/** Reads files in a directory. Follows symlinks that stay inside it. */
export function diskSource(root: string): FileSource {
  let real: Promise<string> | undefined;
  const realRoot = () => {
    real ??= realpath(root).catch(() => path.resolve(root));
    return real;
  };
  return {
    async read(file, limit, scope = "project") {
      if (file.includes("\0") || (scope === "project" && !staysInside(file))) return { kind: "outside" };
      try {
        const target = await realpath(path.resolve(root, file));
        if (scope === "project" && !isInside(await realRoot(), target)) return { kind: "outside" };
        return await readRegular(target, limit);
      } catch (error) {
        return failedRead(error);
      }
    },
    async list(directory) {
      try {
        const target = await realpath(path.resolve(root, directory));
        if (!staysInside(`${directory}/.`) || !isInside(await realRoot(), target)) return [];
        return await regularFiles(target);
      } catch {
        return [];
      }
    },
  };
}

async function readRegular(target: string, limit: number): Promise<FileRead> {
  // Before opening: opening a device can have effects, and opening a pipe can block.
  const before = await lstat(target);
  if (!before.isFile()) return notRegular(before.isDirectory());
  if (before.size > limit) return { kind: "too-large", size: before.size, limit };
  const handle = await open(target, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const opened = await handle.stat();
    if (!opened.isFile()) return notRegular(opened.isDirectory());
    return await readUpTo(handle, opened.size, limit);
  } finally {
    await handle.close();
  }
}

/** Reads to the end or the limit. The reported size can be wrong: it is 0 in `/proc`. */
async function readUpTo(handle: FileHandle, expected: number, limit: number): Promise<FileRead> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.min(Math.max(expected - size, 0) + 1024, limit + 1));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
    if (bytesRead === 0)
      return { kind: "bytes", bytes: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks) };
    size += bytesRead;
    if (size > limit) return { kind: "too-large", size, limit };
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

function notRegular(directory: boolean): FileRead {
  return directory
    ? { kind: "unreadable", code: "EISDIR", detail: "it is a directory" }
    : { kind: "unreadable", code: "EINVAL", detail: "it is not a regular file" };
}

async function regularFiles(directory: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const isFile = entry.isSymbolicLink() ? await leadsToFile(path.join(directory, entry.name)) : entry.isFile();
    if (isFile) names.push(entry.name);
  }
  return names.sort();
}

async function leadsToFile(link: string): Promise<boolean> {
  try {
    return (await stat(link)).isFile();
  } catch {
    return false;
  }
}

function failedRead(error: unknown): FileRead {
  const { code = "UNKNOWN", message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
  return { kind: "unreadable", code, detail: wordsFor(code) ?? message };
}

function wordsFor(code: string): string | undefined {
  switch (code) {
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ELOOP":
      return "its symlinks form a cycle";
    case "ENAMETOOLONG":
      return "its path is too long";
    default:
      return undefined;
  }
}
