/** The project itself as the tree of a step with `workspace: shared` in the sandbox. */
import { lstatSync } from "node:fs";
import path from "node:path";
import { ok, type Result } from "../core/result.ts";
import { relativeInside } from "../platform/paths.ts";
import { listArea, readFromArea } from "../sandbox/area-files.ts";
import { writeIntoArea } from "../sandbox/write-area.ts";
import { failed } from "./attempt-dirs.ts";
import type { AttemptTree, TreeSetting } from "./attempt-tree.ts";

/**
 * Nothing is made, and nothing can be told apart from what others change. Fails with `workspace-failed` if a symbolic link in the project leads to
 * its state: the step could replace the link, and Wave would read and write state where it points to.
 */
export async function projectTree({ root, stateDir, stateRoot = stateDir }: TreeSetting): Promise<Result<AttemptTree>> {
  const link = linkTo(root, stateRoot);
  if (link !== undefined)
    return failed("ELOOP", `\`${link}\` is a symbolic link to the project's state, which a step that works in place could replace`);
  const tree = { kind: "directory", source: root } as const;
  const area = { directory: root, hidden: stateRoot };
  return ok({
    place: root,
    written: { directory: root, bytes: Number.POSITIVE_INFINITY },
    tree,
    forContract: async (restore) =>
      restore === undefined
        ? ok({ tree, release: async () => undefined })
        : failed("EPERM", "protected files cannot be restored in the project itself"),
    read: (file, limit) => readFromArea(area, file, limit),
    list: (glob) => listArea(area, glob),
    write: (entries) => writeIntoArea(area, entries),
    changeset: async () => ok(undefined),
  });
}

/** The first symbolic link on the way from the project to its state; undefined if there is none, or state lies elsewhere. */
function linkTo(root: string, stateRoot: string): string | undefined {
  const names = relativeInside(root, stateRoot)?.split("/") ?? [];
  const ways = names.map((_, index) => names.slice(0, index + 1).join("/"));
  return ways.find((way) => lstatSync(path.join(root, way), { throwIfNoEntry: false })?.isSymbolicLink() === true);
}
