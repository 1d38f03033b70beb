/**
 * What of a project a step may not read, as the fewest paths that hide it: whole directories where nothing in them is allowed, or left out. It
 * looks at names only. Symlinks are judged by their own path; what they lead to is judged by its.
 */
import type { Changeset } from "../core/changeset.ts";
import { walkTree } from "../platform/walk.ts";

/** The paths to hide, for one filter. `isLeftOut` paths are hidden by other means. */
export async function hiddenPaths(
  root: string,
  reads: (path: string) => boolean,
  isLeftOut: (path: string) => boolean,
): Promise<readonly string[]> {
  const hidden: string[] = [];
  /** The directories that the walk is in: whether a step sees any of each, and where its hidden paths begin in `hidden`. */
  const open: { stays: boolean; readonly mark: number }[] = [{ stays: true, mark: 0 }];
  const note = (path: string, stays: boolean) => {
    const directory = open.at(-1);
    if (!stays) hidden.push(path);
    else if (directory !== undefined) directory.stays = true;
  };
  await walkTree(root, {
    visit({ kind, name, path }) {
      // A path that is left out cannot be hidden with its directory: the attempt's own files are there.
      if (isLeftOut(path)) note(path, true);
      else if (kind !== "directory") note(path, reads(path));
      else if (name === ".git") note(path, reads(`${path}/HEAD`));
    },
    enter({ name, path }) {
      if (name === ".git" || isLeftOut(path)) return false;
      open.push({ stays: reads(path), mark: hidden.length });
      return true;
    },
    leave({ path }) {
      const { stays, mark } = open.pop() ?? { stays: true, mark: hidden.length };
      if (!stays) hidden.length = mark;
      note(path, stays);
    },
    // A directory that cannot be listed has nothing to hide from an attempt, which has the same rights.
    onDenied: () => undefined,
  });
  return hidden;
}

/** What of changes to hide as well: files that come with them and may not be read. */
export function hiddenChanges(changes: Changeset, reads: (path: string) => boolean): readonly string[] {
  return changes.filter(({ path, after }) => after !== undefined && !reads(path)).map(({ path }) => path);
}
