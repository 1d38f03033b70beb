/**
 * Inspects single paths of a tree on disk, without following symlinks and with the exact bytes of names. Synchronous,
 * because that is several times faster for many small calls. Throws file system errors, except for missing paths.
 */
import { chmodSync, lstatSync, readdirSync, type Stats } from "node:fs";
import { fsPath, hasEscapes, pathFromBytes } from "../text/path-bytes.ts";

/** Stat data of a path itself. Undefined if it does not exist or a parent is not a directory. */
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
  // Node decodes bytes that are not UTF-8 as U+FFFD.
  if (!names.some((name) => name.includes("\uFFFD"))) return names;
  return readdirSync(directory, { encoding: "buffer" }).map((name) => pathFromBytes(name));
}

/** The path of a child of a directory. */
export function below(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** Permissions that were extended to inspect a tree, to be restored. */
export type RestoreList = { readonly path: string | Buffer; readonly mode: number }[];

/**
 * Grants the owner access to a directory or file of an attempt's own tree, and records its mode. Files of other users stay
 * closed.
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
    // Reading it will report the failure.
  }
}

/** Restores the permissions that `grantOwnerAccess` changed. */
export function restoreModes(widened: RestoreList): void {
  for (const { path, mode } of widened.reverse()) {
    try {
      chmodSync(path, mode);
    } catch {
      // It is gone, or a parent is already closed: the difference is not visible.
    }
  }
  widened.length = 0;
}

/** A printable path: bytes that are not UTF-8 are written as `\xff`. */
export function shown(path: string): string {
  if (!hasEscapes(path)) return path;
  return path.replace(/[\udc80-\udcff]/gu, (byte) => `\\x${(byte.charCodeAt(0) - 0xdc00).toString(16)}`);
}
