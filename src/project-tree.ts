/** The digest of the project's tree while a run works on it. */
import type { Digest } from "./model/digest.ts";
import type { PlannedRun } from "./plan-run.ts";
import { listProject, takeBase } from "./workspace/base.ts";

/** Returns whether the project is still as planned. Reads it again only if attempts have begun since the last call. */
export function changeWatch(planned: PlannedRun, begun: () => number): () => Promise<boolean> {
  let looked = 0;
  let same = true;
  return async () => {
    if (begun() === looked || !same) return same;
    looked = begun();
    same = (await treeOf(planned)) === planned.tree;
    return same;
  };
}

/** The project's tree as it is now. Undefined once Wave has left its repository: files that are listed in another way compare with nothing. */
export async function treeOf({ read, memory, base }: PlannedRun): Promise<Digest | undefined> {
  const listing = await listProject(read.root);
  if (listing === undefined && base.kind === "git") return undefined;
  const after = await takeBase(read.root, memory.stateRoot, new Map(), Promise.resolve(listing));
  return after.ok && after.value.kind === base.kind ? after.value.tree : undefined;
}
