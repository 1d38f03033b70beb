/** Compares the project with the tree that a run started from. */

import type { BaseRef } from "../core/event.ts";
import { ignoredViews } from "../core/ignored-views.ts";
import type { Step } from "../core/pipeline.ts";
import type { ProjectNow } from "../executor/context.ts";
import { type BaseFiles, listProject, readBase } from "../workspace/base.ts";
import type { PlannedRun } from "./plan-run.ts";

/** Returns whether the project is still as planned. Reads it again only if attempts have started since the last call. */
export function changeWatch(planned: PlannedRun, attempts: () => number): () => Promise<boolean> {
  let checkedAfter = 0;
  let same = true;
  return async () => {
    if (attempts() === checkedAfter || !same) return same;
    checkedAfter = attempts();
    const now = await projectNow(planned);
    same = now?.tree === planned.start.tree && !now.ignoredChanged;
    return same;
  };
}

/**
 * The current project. Undefined if it cannot be read, or if it is no longer listed by git although the base was. Ignored files are
 * compared only if the base contains them.
 */
export async function projectNow({ read, store, start: { base }, plan }: PlannedRun): Promise<ProjectNow | undefined> {
  const listing = await listProject(read.root);
  if (listing === undefined && base.kind === "git") return undefined;
  const after = await readBase(read.root, store.stateRoot, new Map(), Promise.resolve(listing));
  if (!after.ok || after.value.base.kind !== base.kind) return undefined;
  const { tree } = after.value.base;
  return { tree, ignoredChanged: await haveIgnoredChanged(base, after.value.files, plan.pipeline.steps) };
}

/** Whether ignored files that the steps or their contracts may read differ from those of a base. False if the base does not contain them. */
export async function haveIgnoredChanged({ ignored }: BaseRef, files: BaseFiles, steps: readonly Step[]): Promise<boolean> {
  const current = ignored === undefined ? undefined : await files.ignored(ignoredViews(steps));
  return current !== undefined && Object.entries(current.digests).some(([key, digest]) => ignored?.[key] !== digest);
}
