/** Which base a plan's fingerprints are taken over. */
import { defined } from "../core/defined.ts";
import type { Digest } from "../core/digest.ts";
import type { BaseRef } from "../core/event.ts";
import { viewNamesGit } from "../core/permissions.ts";
import type { RunRecord } from "../core/state.ts";

/**
 * The base for work on the project as it is now. When runs of this pipeline ended with exactly this tree (newest first), the
 * newest one's base counts, so that a plan right after a run that changed the project in place is empty. Views that the run
 * did not take, ignored files, and views that may hold `.git` when HEAD has moved since, are the current ones. When no run ended here, or it changed
 * nothing, the base is the current one.
 */
export function baseFor(current: BaseRef, runsEndingHere: readonly RunRecord[]): BaseRef {
  const newest = runsEndingHere.find((run) => run.treeAfter === current.tree);
  if (newest === undefined || newest.base.tree === current.tree) return current;
  const { base } = newest;
  const views: Record<string, Digest> = {};
  for (const [key, digest] of Object.entries(current.views)) {
    const before = base.views[key];
    views[key] = before === undefined || (viewNamesGit(key) && base.head !== current.head) ? digest : before;
  }
  const { ignored: _before, ...rest } = base;
  return { ...rest, views, ...defined({ ignored: current.ignored }) };
}
