/** Chooses the base for a plan's fingerprints. */
import { defined } from "../core/defined.ts";
import type { Digest } from "../core/digest.ts";
import type { BaseRef } from "../core/event.ts";
import { viewNamesGit } from "../core/permissions.ts";
import type { RunRecord } from "../core/state.ts";

/**
 * The base for the current project. If runs of this pipeline ended with exactly this tree (newest first), it is the newest
 * one's base, so that a plan directly after a run that changed the project in place is empty. Ignored files, views that the
 * run did not record, and, if HEAD moved, views that may contain `.git` are always current. If no run ended here, or the run
 * did not change the project, the base is the current one.
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
