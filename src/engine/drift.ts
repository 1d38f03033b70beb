/** How a project that a run is resumed in differs from what it was when the run began: what the run itself did to it, and what others did. */

import { reverse } from "../changeset/combine-changes.ts";
import { readChangeset } from "../changeset/read-changeset.ts";
import type { Changeset } from "../core/changeset.ts";
import type { Digest } from "../core/digest.ts";
import type { BaseRef, ChangesRef } from "../core/event.ts";
import { readFilter, viewKey } from "../core/permissions.ts";
import { ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import { type BaseFiles, type ProjectListing, readBase } from "../workspace/base.ts";
import type { PlannedRun } from "./plan-run.ts";
import { haveIgnoredChanged } from "./project-tree.ts";

/** What lies between the base of a run and the project as it is. */
export interface ProjectDrift {
  /** Leads from the project as it is to the base: the reverse of what this run applied, or of what lay over the base when it began. */
  readonly rollback: Changeset;
  /** Steps that may read what others changed since; absent: nobody changed anything, or that cannot be told. Empty: none of the steps reads it. */
  readonly affected?: readonly string[];
  /** Whether ignored files that a step may read differ from those at the beginning of the run. */
  readonly ignoredChanged: boolean;
  /** The project as it is; undefined if it cannot be read. */
  readonly now?: { readonly tree: Digest; readonly files: BaseFiles };
}

/** Compares the project with what the run left, or found. Fails as reading blobs and state does. */
export async function detectDrift(planned: PlannedRun, run: RunRecord, listing: ProjectListing): Promise<Result<ProjectDrift>> {
  const { store, read, plan } = planned;
  const views = new Map(plan.pipeline.steps.map((step) => [viewKey(step), readFilter(step.permissions)]));
  const taken = await readBase(read.root, store.stateDir, views, listing);
  const current = taken.ok ? taken.value.base : undefined;
  const now = {
    ...(taken.ok ? { now: { tree: taken.value.base.tree, files: taken.value.files } } : {}),
    ignoredChanged: taken.ok && (await haveIgnoredChanged(run.base, taken.value.files, plan.pipeline.steps)),
  };
  const lies = run.inProject === undefined ? await earlierRunChanges(planned, run, current) : ok(run.inProject);
  if (!lies.ok) return lies;
  const changes = lies.value === undefined ? ok([]) : await readChangeset(store.blobs, lies.value.digest);
  if (!changes.ok) return changes;
  const rollback = reverse(changes.value);
  const expected = ownChangesApplied(run) ? run.treeAfter : run.base.tree;
  const same = current === undefined || expected === undefined || current.tree === expected;
  if (same || (run.inProject === undefined && lies.value !== undefined)) return ok({ rollback, ...now });
  return ok({ rollback, affected: affectedSteps(planned, run, current), ...now });
}

/** What an earlier run had applied when this one began over its base, while the project still is so. */
async function earlierRunChanges(
  { store }: PlannedRun,
  run: RunRecord,
  current: BaseRef | undefined,
): Promise<Result<ChangesRef | undefined>> {
  if (current === undefined || current.tree === run.base.tree) return ok(undefined);
  const ending = await store.state.runsEndingAt(run.pipeline, current.tree);
  if (!ending.ok) return ending;
  return ok(ending.value.find(({ id, base }) => id !== run.id && base.tree === run.base.tree)?.inProject);
}

/** Whether the run itself may have changed the project. */
function ownChangesApplied(run: RunRecord): boolean {
  return run.inProject !== undefined || run.steps.some(({ attempts }) => attempts.some(({ workspace }) => workspace === "shared"));
}

/** Steps of which a view was taken when the run began that is another now; where the run changed the project itself, views tell nothing: all. */
function affectedSteps({ plan }: PlannedRun, run: RunRecord, current: BaseRef): string[] {
  const { steps } = plan.pipeline;
  if (ownChangesApplied(run)) return steps.map(({ id }) => id);
  return steps.filter((step) => current.views[viewKey(step)] !== (run.base.views[viewKey(step)] ?? run.base.tree)).map(({ id }) => id);
}
