/** The repositories in a tree: its own, and checkouts of other projects, whose configuration may hold a token as well. */
import path from "node:path";
import { walkTree } from "../platform/walk.ts";
import { hasEscapes } from "../text/path-bytes.ts";

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
  await walkTree(root, {
    enter: ({ name, path: place }) => name !== ".git" && name !== "node_modules" && !hasEscapes(place) && !isLeftOut(place),
    visit: ({ name, path: place, kind }) => {
      if (name !== ".git" || kind === "other" || hasEscapes(place) || isLeftOut(place)) return;
      found.push({ place: path.join(root, place), kind: kind === "symlink" ? "link" : kind });
    },
    onDenied: () => undefined,
  });
  return found.sort((a, b) => (a.place < b.place ? -1 : 1));
}
