/**
 * Lets git trust a project of another user for a step of root. The step has a new `HOME`, so git does not read the user's
 * configuration.
 */
import { lstatSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * Writes `safe.directory` to the configuration in an attempt's home if Wave runs as root and the project's directory or
 * its `.git` belongs to another user. In the sandbox it also covers submodules and a repository around the project. Throws
 * file system errors.
 */
export function trustProject(home: string, root: string, sandboxed: boolean): void {
  if (process.getuid?.() !== 0) return;
  const isForeign = [root, path.join(root, ".git")].some((place) => (lstatSync(place, { throwIfNoEntry: false })?.uid ?? 0) !== 0);
  if (isForeign) writeFileSync(path.join(home, ".gitconfig"), `[safe]\n\tdirectory = ${sandboxed ? "*" : JSON.stringify(root)}\n`);
}
