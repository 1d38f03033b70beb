/** The repositories in a tree: its own, and checkouts of other projects, whose configuration may hold a token as well. */
import { type Dirent, readdirSync } from "node:fs";
import path from "node:path";

/** Directories are read this many at a time before signals are let in. */
const yieldEvery = 500;

/** Something that is called `.git`, whether git takes it for a repository or not. */
export interface GitEntry {
  /** Absolute. */
  readonly place: string;
  readonly kind: "directory" | "file" | "link";
}

/**
 * Everything that is called `.git` in `root`, sorted by place. Symlinks are not followed, and `node_modules` is not entered: packages are
 * installed without a repository. It looks at names only.
 */
export async function gitEntriesIn(root: string, isLeftOut: (path: string) => boolean): Promise<readonly GitEntry[]> {
  const found: GitEntry[] = [];
  const open = [root];
  let seen = 0;
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    if (++seen % yieldEvery === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const entry of childrenOf(directory)) {
      const isGit = entry.name === ".git";
      if (!isGit && (!entry.isDirectory() || entry.name === "node_modules")) continue;
      const place = path.join(directory, entry.name);
      const kind = kindOf(entry);
      if (kind === undefined || isLeftOut(path.relative(root, place))) continue;
      if (isGit) found.push({ place, kind });
      else open.push(place);
    }
  }
  return found.sort((a, b) => (a.place < b.place ? -1 : 1));
}

function kindOf(entry: Dirent): GitEntry["kind"] | undefined {
  if (entry.isDirectory()) return "directory";
  if (entry.isSymbolicLink()) return "link";
  return entry.isFile() ? "file" : undefined;
}

function childrenOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
