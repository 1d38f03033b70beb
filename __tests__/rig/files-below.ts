/** Files of a directory by their relative paths, sorted; what is left out is not looked into, since an overlay's own directories are closed. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

export function filesBelow(root: string, isLeftOut: (relative: string) => boolean = () => false): string[] {
  const files: string[] = [];
  const open = existsSync(root) ? [""] : [];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const entry of readdirSync(path.join(root, directory), { withFileTypes: true })) {
      const relative = path.posix.join(directory, entry.name);
      if (isLeftOut(relative)) continue;
      if (entry.isDirectory()) open.push(relative);
      else if (entry.isFile()) files.push(relative);
    }
  }
  return files.sort();
}
