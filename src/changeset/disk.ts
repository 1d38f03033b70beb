/**
 * Looks at one place of a tree on disk, without following symlinks and with names as exact as the system has them. Synchronous:
 * several times faster for many small looks. Throws the file system's errors, but for what is not there.
 */
import { chmodSync, lstatSync, readdirSync, type Stats } from "node:fs";
import { fsPath, hasEscapes, pathFromBytes } from "../text/path-bytes.ts";

/** What lies at a path. `other`: a pipe, a socket or a device, which is no part of a tree. */
export type Kind = "file" | "symlink" | "directory" | "other";

/** Which kind the facts of a path are of. */
export function kindOf(stats: Stats): Kind {
  return stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "symlink" : "other";
}

/** The facts of a path itself; nothing when nothing is there, or when the way leads through something that is no directory. */
export function lstatAt(root: string, path: string): Stats | undefined {
  try {
    return lstatSync(fsPath(root, path), { throwIfNoEntry: false });
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** The names in a directory, in no particular order. */
export function namesIn(root: string, path: string): string[] {
  const directory = fsPath(root, path);
  const names = readdirSync(directory);
  // Where a name is not UTF-8, Node writes U+FFFD for what it could not read.
  if (!names.some((name) => name.includes("\uFFFD"))) return names;
  return readdirSync(directory, { encoding: "buffer" }).map((name) => pathFromBytes(name));
}

/** A path of a directory's child. */
export function below(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** Permissions that were widened to look at a tree, to be given back. */
export type RestoreList = { readonly path: string | Buffer; readonly mode: number }[];

/**
 * Lets the owner into a directory or file of a tree that is ours (an attempt's own), and notes how it was. What belongs to somebody
 * else stays closed.
 */
export function grantOwnerAccess(root: string, path: string, stats: Stats, widened: RestoreList): void {
  const wanted = stats.isDirectory() ? 0o700 : 0o400;
  if (process.platform === "win32" || (stats.mode & wanted) === wanted || process.geteuid?.() === 0) return;
  if (!stats.isDirectory() && !stats.isFile()) return;
  const place = fsPath(root, path);
  try {
    chmodSync(place, (stats.mode & 0o7777) | wanted);
    widened.push({ path: place, mode: stats.mode & 0o7777 });
  } catch {
    // Reading it will say what is wrong.
  }
}

/** Gives back the permissions that `widen` changed. */
export function restoreModes(widened: RestoreList): void {
  for (const { path, mode } of widened.reverse()) {
    try {
      chmodSync(path, mode);
    } catch {
      // It is gone, or closed from above already: nobody can tell the difference.
    }
  }
  widened.length = 0;
}

/** A path for people: bytes that are no text are written as `\xff`. */
export function shown(path: string): string {
  if (!hasEscapes(path)) return path;
  return path.replace(/[\udc80-\udcff]/gu, (byte) => `\\x${(byte.charCodeAt(0) - 0xdc00).toString(16)}`);
}
