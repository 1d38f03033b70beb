/** The project while a run works on it, against what the run started from. */

import type { BaseRef } from "../core/event.ts";
import { ignoredViews } from "../core/ignored-views.ts";
import type { Step } from "../core/pipeline.ts";
import type { ProjectNow } from "../executor/context.ts";
import { type BaseFiles, listProject, readBase } from "../workspace/base.ts";
import type { PlannedRun } from "./plan-run.ts";

/** Returns whether the project is still as planned. Reads it again only if attempts have begun since the last call. */
export function changeWatch(planned: PlannedRun, begun: () => number): () => Promise<boolean> {
  let looked = 0;
  let same = true;
  return async () => {
    if (begun() === looked || !same) return same;
    looked = begun();
    const now = await projectNow(planned);
    same = now?.tree === planned.tree && !now.ignoredChanged;
    return same;
  };
}

/**
 * The project as it is now. Undefined if it cannot be read, and once Wave has left its repository: files that are listed in another way
 * compare with nothing. Ignored files are looked at only if the base knows them.
 */
export async function projectNow({ read, store, base, plan }: PlannedRun): Promise<ProjectNow | undefined> {
  const listing = await listProject(read.root);
  if (listing === undefined && base.kind === "git") return undefined;
  const after = await readBase(read.root, store.stateRoot, new Map(), Promise.resolve(listing));
  if (!after.ok || after.value.base.kind !== base.kind) return undefined;
  const { tree } = after.value.base;
  return { tree, ignoredChanged: await haveIgnoredChanged(base, after.value.files, plan.pipeline.steps) };
}

/** Whether ignored files that the steps or their contracts may read differ from those of a base. False if the base does not know them. */
export async function haveIgnoredChanged({ ignored }: BaseRef, files: BaseFiles, steps: readonly Step[]): Promise<boolean> {
  const look = ignored === undefined ? undefined : await files.ignored(ignoredViews(steps));
  return look !== undefined && Object.entries(look.digests).some(([key, digest]) => ignored?.[key] !== digest);
}
