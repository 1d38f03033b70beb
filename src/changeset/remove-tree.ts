/**
 * Removes an untrusted tree: closed directories, nesting deeper than a path can express, an overlay's work directories.
 * Never follows a symlink. No process may write to the tree meanwhile.
 */
import { chmodSync, lstatSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { describeIoError } from "../platform/files.ts";
import { walkTree } from "../platform/walk.ts";
import { fsPath, pathFromBytes } from "../text/path-bytes.ts";

/** Well below the limit of every system (Windows without long paths: 260; macOS: 1024; Linux: 4096). */
const longestPath = process.platform === "win32" ? 200 : 900;

/** Removes a file, or a directory with its content. Missing paths are fine. Fails with `workspace-failed`. */
export async function removeTree(directory: string | Buffer): Promise<Result<void>> {
  try {
    const stats = lstatSync(directory, { throwIfNoEntry: false });
    if (stats === undefined) return ok(undefined);
    if (stats.isDirectory()) await removeDirectory(typeof directory === "string" ? directory : pathFromBytes(directory));
    else unlinkSync(directory);
    return ok(undefined);
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return workspaceFailed(code, `${directory} cannot be removed: ${detail}`);
  }
}

/** Empties the directory and those that were moved up meanwhile, then removes them. */
async function removeDirectory(root: string): Promise<void> {
  const emptied = [""];
  for (const path of emptied) await empty(root, path, emptied);
  for (const path of emptied.reverse()) removeEmpty(root, path);
}

/** Removes everything below `from`. Directories whose path is too long are moved to the root of the tree and added to `lifted`. */
async function empty(root: string, from: string, lifted: string[]): Promise<void> {
  if (!opened(fsPath(root, from))) return;
  await walkTree(root, {
    from,
    visit({ kind, path, directory }) {
      if (kind !== "directory") remove(fsPath(root, directory), () => unlinkSync(fsPath(root, path)));
    },
    enter({ path, directory }) {
      const place = fsPath(root, path);
      if (place.length > longestPath) lifted.push(lift(root, directory, path, lifted.length));
      else if (opened(place)) return true;
      else removeEmpty(root, path);
      return false;
    },
    leave: ({ path }) => removeEmpty(root, path),
  });
}

function removeEmpty(root: string, path: string): void {
  const place = fsPath(root, path);
  const parent = path === "" ? fsPath(dirname(root), "") : fsPath(root, path.slice(0, Math.max(path.lastIndexOf("/"), 0)));
  remove(parent, () => rmdirSync(place));
}

/** Moves a directory up to the root of the tree, and returns its new path. */
function lift(root: string, directory: string, path: string, count: number): string {
  const target = `.wave-removed-${process.pid}-${count}`;
  remove(fsPath(root, directory), () => renameSync(fsPath(root, path), fsPath(root, target)));
  return target;
}

/** Entries of a closed directory cannot be removed: opens it and tries again. */
function remove(parent: string | Buffer, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!["EACCES", "EPERM"].includes(describeIoError(error).code)) throw error;
    chmodSync(parent, 0o700);
    work();
  }
}

/**
 * Opens a closed directory. Returns false if it belongs to another user and can only be removed as a whole: an overlay
 * that `sudo` mounted leaves an empty one of root's.
 */
function opened(directory: string | Buffer): boolean {
  if (process.platform === "win32") return true;
  const { mode } = lstatSync(directory);
  if ((mode & 0o700) === 0o700) return true;
  try {
    chmodSync(directory, 0o700);
    return true;
  } catch (error) {
    if (describeIoError(error).code !== "EPERM") throw error;
    return false;
  }
}
