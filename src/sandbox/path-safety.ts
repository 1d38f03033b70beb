/** Paths in a tree that somebody else wrote: a directory in them may have become a symlink that leads anywhere. */
import { lstatSync } from "node:fs";
import path from "node:path";

/**
 * The topmost parent of `file` in `directory` that is there and is no directory: a symlink, most of all. Nothing where what is done to the path
 * stays in `directory`.
 */
export function firstNonDirectoryParent(directory: string, file: string): string | undefined {
  const segments = file.split("/").slice(0, -1);
  for (let count = 1; count <= segments.length; count++) {
    const parent = path.join(directory, ...segments.slice(0, count));
    const stat = lstatSync(parent, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (!stat.isDirectory()) return parent;
  }
  return undefined;
}
