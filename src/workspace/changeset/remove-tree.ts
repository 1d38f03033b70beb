/**
 * Removes a tree that somebody else filled: closed directories, nesting deeper than a path can say, an overlay's work directories.
 * Never follows a symlink. Nobody may write to the tree meanwhile.
 */
import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import path from "node:path";
import { err, ok, type Result } from "../../model/result.ts";
import { describeIoError } from "../../platform/files.ts";
import { breather } from "./disk.ts";

/** Well below what any system takes (Windows without long paths: 260; macOS: 1024; Linux: 4096). */
const longestPath = process.platform === "win32" ? 200 : 900;
const yieldEvery = 2000;

/** Removes a directory and everything below it, or a file. Nothing there is fine. Fails with `workspace-failed`. */
export async function removeTree(directory: string | Buffer): Promise<Result<void>> {
  try {
    const stats = lstatSync(directory, { throwIfNoEntry: false });
    if (stats === undefined) return ok(undefined);
    if (stats.isDirectory()) await removeDirectories(directory);
    else unlinkSync(directory);
    return ok(undefined);
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return err({ reason: "workspace-failed", code, detail: `${directory} cannot be removed: ${detail}` });
  }
}

/** Goes down emptying; a directory is left on the stack until what is in it is gone. */
async function removeDirectories(root: string | Buffer): Promise<void> {
  const breathe = breather(yieldEvery);
  const open: (string | Buffer)[] = [root];
  let moved = 0;
  for (let directory = open.at(-1); directory !== undefined; directory = open.at(-1)) {
    const inner: (string | Buffer)[] = [];
    for (const { place, isDirectory } of childrenOf(directory)) {
      if (!isDirectory) remove(directory, () => unlinkSync(place));
      else if (place.length <= longestPath) inner.push(place);
      else inner.push(lifted(root, directory, place, moved++));
      await breathe();
    }
    if (inner.length > 0) {
      open.push(...inner);
      continue;
    }
    const emptied = directory;
    remove(path.dirname(emptied.toString()), () => rmdirSync(emptied));
    open.pop();
  }
}

function childrenOf(directory: string | Buffer): { place: string | Buffer; isDirectory: boolean }[] {
  if (!opened(directory)) return [];
  const names = readdirSync(directory, { withFileTypes: true, encoding: "buffer" as never }) as unknown as {
    name: Buffer;
    isDirectory(): boolean;
  }[];
  const prefix = Buffer.concat([Buffer.from(directory), Buffer.from("/")]);
  return names.map((entry) => {
    const bytes = Buffer.concat([prefix, entry.name]);
    const text = bytes.toString();
    return { place: Buffer.from(text).equals(bytes) ? text : bytes, isDirectory: entry.isDirectory() };
  });
}

/** Moves a directory whose path is too long up to the root of the tree. */
function lifted(root: string | Buffer, parent: string | Buffer, place: string | Buffer, count: number): Buffer {
  const target = Buffer.concat([Buffer.from(root), Buffer.from(`/.wave-removed-${process.pid}-${count}`)]);
  remove(parent, () => renameSync(place, target));
  return target;
}

/** A closed directory lets nothing out: opens it and tries again. */
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
 * Opens a directory that is closed. Where it belongs to somebody else (an overlay that `sudo` mounted keeps an empty one of root's) that cannot be
 * done, and it can only be removed as a whole.
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
