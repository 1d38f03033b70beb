/** The repositories that lie in a tree: its own, and checkouts of other projects, whose configuration may hold a token as well. */
import { readdirSync } from "node:fs";
import path from "node:path";

/** Directories are read this many at a time before signals are let in. */
const yieldEvery = 500;

/**
 * The `.git` directories in `root`, whether git takes them for repositories or not. Absolute. Symlinks are not followed, and `node_modules` is not entered: what is installed
 * there comes without a repository. It looks at names only.
 */
export async function repositoriesIn(root: string, isLeftOut: (path: string) => boolean): Promise<readonly string[]> {
  const found: string[] = [];
  const open = [root];
  let seen = 0;
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    if (++seen % yieldEvery === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const entry of childrenOf(directory)) {
      const place = path.join(directory, entry.name);
      if (!entry.isDirectory() || entry.name === "node_modules" || isLeftOut(path.relative(root, place))) continue;
      if (entry.name !== ".git") open.push(place);
      else found.push(place);
    }
  }
  return found.sort();
}

function childrenOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
