/**
 * Lists the files of a directory where git cannot: everything but `.git`, `node_modules` and what is left out. Symlinks are
 * entries of their own and never followed; sockets, pipes and devices are no part of a base.
 */
import type { BaseEntry } from "../core/base.ts";
import { walkTree } from "../platform/walk.ts";
import { type BaseIndex, entryAt } from "./base-index.ts";

/** Names that a walk never enters: repositories' insides, and installed packages, which belong to no project's sources. */
const skipped = new Set([".git", "node_modules"]);

/**
 * Every entry below `from` (relative to `root`, empty for all of it), in no particular order. `isLeftOut` is asked about files
 * and directories. A directory that cannot be read counts by its name. Adds the `node_modules` that were skipped to `packages`.
 */
export async function walkFiles(
  root: string,
  from: string,
  isExcluded: (path: string) => boolean,
  index: BaseIndex,
  packages: string[] = [],
): Promise<BaseEntry[]> {
  const entries: BaseEntry[] = [];
  const isSkipped = (name: string, path: string) => skipped.has(name) || isExcluded(path);
  await walkTree(root, {
    from,
    enter: ({ name, path }) => !isSkipped(name, path),
    visit({ kind, name, path }) {
      if (kind === "directory" && name === "node_modules" && !isExcluded(path)) packages.push(path);
      if (kind === "directory" || isSkipped(name, path)) return;
      const entry = entryAt(root, path, index);
      if (entry !== undefined && entry !== "directory") entries.push(entry);
    },
    onDenied(path, { code }) {
      if (code !== "ENOENT" && code !== "ENOTDIR") entries.push({ path, mode: "040000", oid: "unreadable" });
    },
  });
  return entries;
}
