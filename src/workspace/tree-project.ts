/** The project itself as the tree of a sandboxed step with `workspace: shared`. */
import { lstatSync } from "node:fs";
import path from "node:path";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { relativeInside } from "../platform/paths.ts";
import { listArea, readFromArea } from "../sandbox/area-files.ts";
import { writeIntoArea } from "../sandbox/write-area.ts";
import type { AttemptTree, TreeSetting } from "./attempt-tree.ts";

/**
 * Creates nothing, and cannot distinguish the attempt's changes from others. Fails with `workspace-failed` if a symlink in
 * the project leads to its state: the step could replace the link, and Wave would then read and write state at another
 * path.
 */
export async function projectTree({ root, stateDir, stateRoot = stateDir }: TreeSetting): Promise<Result<AttemptTree>> {
  const link = linkTo(root, stateRoot);
  if (link !== undefined)
    return workspaceFailed(
      "ELOOP",
      `\`${link}\` is a symbolic link to the project's state that a step in place could replace; use a directory`,
    );
  const tree = { kind: "directory", source: root } as const;
  const area = { directory: root, hidden: stateRoot };
  return ok({
    place: root,
    written: { directory: root, bytes: Number.POSITIVE_INFINITY },
    tree,
    forContract: async (restore) =>
      restore === undefined
        ? ok({ tree, release: async () => undefined })
        : workspaceFailed("EPERM", "protected files cannot be restored in the project itself"),
    read: (file, limit) => readFromArea(area, file, limit),
    list: (glob) => listArea(area, glob),
    write: (entries) => writeIntoArea(area, entries),
    changeset: async () => ok(undefined),
  });
}

/** The first symlink on the path from the project to its state. Undefined if there is none, or state is outside the project. */
function linkTo(root: string, stateRoot: string): string | undefined {
  const names = relativeInside(root, stateRoot)?.split("/") ?? [];
  const parents = names.map((_, index) => names.slice(0, index + 1).join("/"));
  return parents.find((parent) => lstatSync(path.join(root, parent), { throwIfNoEntry: false })?.isSymbolicLink() === true);
}
