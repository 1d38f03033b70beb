/**
 * Lists the files of a directory without git: everything except `.git`, `node_modules` and excluded paths. Symlinks are
 * entries and are never followed; sockets, pipes and devices are not part of a base.
 */
import type { BaseEntry } from "../core/base.ts";
import { walkTree } from "../platform/walk.ts";
import { type BaseIndex, entryAt } from "./base-index.ts";

/** Names that are never entered: repositories, and installed packages, which are not sources of a project. */
const skipped = new Set([".git", "node_modules"]);

/**
 * Every entry below `from` (relative to `root`, `""` for all), in no particular order. `isExcluded` is called for files
 * and directories. An unreadable directory counts by its name. Adds skipped `node_modules` to `packages`.
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
