/** Ignored files that a step's changeset includes. Git does not list them, so they are recorded when an attempt starts. */

import { walkTree } from "../platform/walk.ts";
import { globBase, pathPattern } from "../text/glob.ts";
import type { IncludedFiles } from "./before-state.ts";
import { lstatAt } from "./disk.ts";
import { factsOf } from "./snapshot.ts";

/** Records the stat data of every file that a glob matches. A directory that cannot be listed contains none. */
export async function includedFiles(root: string, globs: readonly string[], isExcluded: (path: string) => boolean): Promise<IncludedFiles> {
  const patterns = globs.map(pathPattern);
  const matches = (path: string) => patterns.some((pattern) => pattern(path));
  const facts = new Map<string, string>();
  const note = (path: string) => {
    const stats = matches(path) ? lstatAt(root, path) : undefined;
    if (stats !== undefined && !stats.isDirectory()) facts.set(path, factsOf(stats));
  };
  const bases = new Set(globs.map(globBase).filter((base) => !base.split("/").includes("..")));
  for (const base of bases) {
    if (base !== "") note(base);
    await walkTree(root, {
      from: base,
      visit: ({ kind, path }) => (kind === "directory" ? undefined : note(path)),
      enter: ({ name, path }) => name !== ".git" && !isExcluded(path),
      onDenied: () => undefined,
    });
  }
  return {
    matches,
    isSame(path, stats) {
      const before = facts.get(path);
      return before === undefined ? undefined : stats !== undefined && factsOf(stats) === before;
    },
  };
}
