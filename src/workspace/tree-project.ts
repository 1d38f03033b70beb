/** The project itself as an attempt's tree: for steps that run in place and are fenced for the network's sake. */
import { ok, type Result } from "../model/result.ts";
import { listArea, readFromArea } from "./area-files.ts";
import type { AttemptTree, TreeSetting } from "./attempt-tree.ts";
import { writeIntoArea } from "./write-area.ts";

/** Nothing is made, and nothing can be told apart from what others change. */
export async function projectTree({ root, stateDir, stateRoot = stateDir }: TreeSetting): Promise<Result<AttemptTree>> {
  const tree = { kind: "directory", source: root } as const;
  const area = { directory: root, hidden: stateRoot };
  return ok({
    place: root,
    written: { directory: root, bytes: Number.POSITIVE_INFINITY },
    tree,
    judged: async () => ok({ tree, release: async () => undefined }),
    read: (file, limit) => readFromArea(area, file, limit),
    list: (glob) => listArea(area, glob),
    write: (leaves) => writeIntoArea(area, leaves),
    changeset: async () => ok(undefined),
  });
}
