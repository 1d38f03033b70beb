/** Git's own check of owners, for a step of root in a project of another user: its `HOME` is new, so the user's configuration is not seen. */
import { lstatSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * Writes a configuration with `safe.directory` into the home of an attempt, if root works in a project of which the directory or its
 * `.git` belongs to another user. In the sandbox it covers submodules and a repository around the project too. Throws the file system's errors.
 */
export function trustProject(home: string, root: string, sandboxed: boolean): void {
  if (process.getuid?.() !== 0) return;
  const isForeign = [root, path.join(root, ".git")].some((place) => (lstatSync(place, { throwIfNoEntry: false })?.uid ?? 0) !== 0);
  if (isForeign) writeFileSync(path.join(home, ".gitconfig"), `[safe]\n\tdirectory = ${sandboxed ? "*" : JSON.stringify(root)}\n`);
}
