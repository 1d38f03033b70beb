/**
 * Lists the files of a directory where git cannot: everything but `.git`, `node_modules` and what is left out. Symlinks are
 * entries of their own and never followed; sockets, pipes and devices are no part of a base.
 */
import { type Dirent, readdirSync } from "node:fs";
import path from "node:path";
import { type BaseEntry, type BaseIndex, entryAt } from "./base-index.ts";

/** Names that a walk never enters: repositories' insides, and installed packages, which belong to no project's sources. */
const skipped = new Set([".git", "node_modules"]);
const yieldEvery = 1000;

/**
 * Every entry below `from` (relative to `root`, empty for all of it), in no particular order. `isLeftOut` is asked about files
 * and directories. A directory that cannot be read counts by its name.
 */
export async function walkFiles(root: string, from: string, isLeftOut: (path: string) => boolean, index: BaseIndex): Promise<BaseEntry[]> {
  const entries: BaseEntry[] = [];
  const open = [from];
  let seen = 0;
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    const children = childrenOf(path.join(root, directory));
    if (children === undefined) entries.push({ path: directory, mode: "040000", oid: "unreadable" });
    for (const child of children ?? []) {
      const name = directory === "" ? child.name : `${directory}/${child.name}`;
      if (skipped.has(child.name) || isLeftOut(name)) continue;
      const entry = child.isDirectory() ? "directory" : entryAt(root, name, index);
      if (entry === "directory") open.push(name);
      else if (entry !== undefined) entries.push(entry);
      // Synchronous calls are several times faster here; signals are still let in often enough.
      if (++seen % yieldEvery === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return entries;
}

/** What is directly in a directory; empty when it is gone, nothing when it cannot be read. */
function childrenOf(directory: string): Dirent[] | undefined {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? [] : undefined;
  }
}
