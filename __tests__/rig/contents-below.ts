/** Files of a directory and what they hold, byte for byte as latin1, by relative path. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** What is left out is not looked into either: an overlay's own directories are closed to whoever is not root. */
export function contentsBelow(root: string, isLeftOut: (relative: string) => boolean = () => false): Readonly<Record<string, string>> {
  const files: string[] = [];
  const open = [""];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const entry of readdirSync(path.join(root, directory), { withFileTypes: true })) {
      const relative = path.posix.join(directory, entry.name);
      if (isLeftOut(relative)) continue;
      if (entry.isDirectory()) open.push(relative);
      else if (entry.isFile()) files.push(relative);
    }
  }
  return Object.fromEntries(files.sort().map((file) => [file, readFileSync(path.join(root, file), "latin1")]));
}
