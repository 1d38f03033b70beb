/**
 * What of a project a step may not read, as the fewest paths that hide it: whole directories where nothing in them is allowed, or left out. It
 * looks at names only. Symlinks are judged by their own path; what they lead to is judged by its.
 */
import { type Dirent, readdirSync } from "node:fs";
import type { Changeset } from "../model/changeset.ts";
import { fsPath, pathFromBytes } from "../model/path-bytes.ts";

/** Directories are read this many at a time before signals are let in. */
const yieldEvery = 500;

/** The paths to hide, for one filter. `isLeftOut` paths are hidden by other means. */
export async function hiddenPaths(
  root: string,
  reads: (path: string) => boolean,
  isLeftOut: (path: string) => boolean,
): Promise<readonly string[]> {
  const hidden: string[] = [];
  let seen = 0;
  await visit("");
  return hidden;

  /** Whether anything of a directory stays; if not, its hidden parts are one hidden path, which the caller notes. */
  async function visit(directory: string): Promise<boolean> {
    if (++seen % yieldEvery === 0) await new Promise((resolve) => setImmediate(resolve));
    const mark = hidden.length;
    let stays = directory === "" || reads(directory);
    for (const entry of childrenOf(root, directory)) {
      const name = pathFromBytes(entry.name);
      const path = directory === "" ? name : `${directory}/${name}`;
      if (isLeftOut(path)) {
        // It could not be hidden together with its directory: it holds what the attempt itself is made of.
        stays = true;
        continue;
      }
      const visible = entry.isDirectory() ? (name === ".git" ? reads(`${path}/HEAD`) : await visit(path)) : reads(path);
      if (visible) stays = true;
      else hidden.push(path);
    }
    if (!stays) hidden.length = mark;
    return stays;
  }
}

/** What of changes to hide as well: files that come with them and may not be read. */
export function hiddenChanges(changes: Changeset, reads: (path: string) => boolean): readonly string[] {
  return changes.filter(({ path, after }) => after !== undefined && !reads(path)).map(({ path }) => path);
}

function childrenOf(root: string, directory: string): readonly Dirent<Buffer>[] {
  try {
    return readdirSync(fsPath(root, directory), { withFileTypes: true, encoding: "buffer" });
  } catch {
    // Nobody can read it: nothing is there to hide.
    return [];
  }
}
