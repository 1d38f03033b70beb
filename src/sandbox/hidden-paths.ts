/**
 * Finds the fewest paths that hide what a step may not read: whole directories if nothing in them is readable or excluded.
 * Only names are checked. A symlink is judged by its own path, its target by the target's path.
 */
import type { Changeset } from "../core/changeset.ts";
import { walkTree } from "../platform/walk.ts";

/** The paths to hide for one filter. `isExcluded` paths are hidden by other means. */
export async function hiddenPaths(
  root: string,
  reads: (path: string) => boolean,
  isExcluded: (path: string) => boolean,
): Promise<readonly string[]> {
  const hidden: string[] = [];
  /** The directories on the current path: whether the step sees anything in each, and where its hidden paths start in `hidden`. */
  const open: { isVisible: boolean; readonly mark: number }[] = [{ isVisible: true, mark: 0 }];
  const note = (path: string, isVisible: boolean) => {
    const directory = open.at(-1);
    if (!isVisible) hidden.push(path);
    else if (directory !== undefined) directory.isVisible = true;
  };
  await walkTree(root, {
    visit({ kind, name, path }) {
      // An excluded path cannot be hidden with its directory, because it contains the attempt's own files.
      if (isExcluded(path)) note(path, true);
      else if (kind !== "directory") note(path, reads(path));
      else if (name === ".git") note(path, reads(`${path}/HEAD`));
    },
    enter({ name, path }) {
      if (name === ".git" || isExcluded(path)) return false;
      open.push({ isVisible: reads(path), mark: hidden.length });
      return true;
    },
    leave({ path }) {
      const { isVisible, mark } = open.pop() ?? { isVisible: true, mark: hidden.length };
      if (!isVisible) hidden.length = mark;
      note(path, isVisible);
    },
    // A directory that cannot be listed needs no hiding: the attempt has the same rights.
    onDenied: () => undefined,
  });
  return hidden;
}

/** Files of changes that the step may not read. */
export function hiddenChanges(changes: Changeset, reads: (path: string) => boolean): readonly string[] {
  return changes.filter(({ path, after }) => after !== undefined && !reads(path)).map(({ path }) => path);
}
