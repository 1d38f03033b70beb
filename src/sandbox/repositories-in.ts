/** Finds the repositories in a tree: its own and checkouts of other projects, whose configuration may contain tokens too. */
import path from "node:path";
import { walkTree } from "../platform/walk.ts";
import { hasEscapes } from "../text/path-bytes.ts";

/** An entry named `.git`, whether git accepts it as a repository or not. */
export interface GitEntry {
  /** Absolute. */
  readonly place: string;
  readonly kind: "directory" | "file" | "link";
}

/**
 * Every `.git` in `root`, sorted by path. Does not follow symlinks, and does not enter `node_modules`: packages are
 * installed without repositories. Only names are checked.
 */
export async function gitEntriesIn(root: string, isExcluded: (path: string) => boolean): Promise<readonly GitEntry[]> {
  const found: GitEntry[] = [];
  await walkTree(root, {
    enter: ({ name, path: place }) => name !== ".git" && name !== "node_modules" && !hasEscapes(place) && !isExcluded(place),
    visit: ({ name, path: place, kind }) => {
      if (name !== ".git" || kind === "other" || hasEscapes(place) || isExcluded(place)) return;
      found.push({ place: path.join(root, place), kind: kind === "symlink" ? "link" : kind });
    },
    onDenied: () => undefined,
  });
  return found.sort((a, b) => (a.place < b.place ? -1 : 1));
}
