/** Checks paths in an untrusted tree, where a directory may have been replaced by a symlink to anywhere. */
import { lstatSync } from "node:fs";
import path from "node:path";

/**
 * The topmost existing parent of `file` in `directory` that is not a directory, usually a symlink. Undefined if operations
 * on the path stay inside `directory`.
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
