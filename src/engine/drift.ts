/** Detects how the project differs from the base of a run that is resumed: changes of the run itself, and changes of others. */

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

/** The difference between the base of a run and the current project. */
export interface ProjectDrift {
  /** Leads from the current project to the base: the reverse of the changes of this run, or of an earlier run that were applied over the base. */
  readonly rollback: Changeset;
  /**
   * Steps that may read files that others changed; empty if no step reads them. Undefined if there are no such changes,
   * or if that is unknown.
   */
  readonly affected?: readonly string[];
  /** Whether ignored files that a step may read differ from those of the base. */
  readonly ignoredChanged: boolean;
  /** The current project. Undefined if it cannot be read. */
  readonly now?: { readonly tree: Digest; readonly files: BaseFiles };
}

/** Fails as reading blobs and state does. */
export async function detectDrift(planned: PlannedRun, run: RunRecord, listing: ProjectListing): Promise<Result<ProjectDrift>> {
  const { store, read, plan } = planned;
  const views = new Map(plan.pipeline.steps.map((step) => [viewKey(step), readFilter(step.permissions)]));
  const project = await readBase(read.root, store.stateDir, views, listing);
  const current = project.ok ? project.value.base : undefined;
  const now = {
    ...(project.ok ? { now: { tree: project.value.base.tree, files: project.value.files } } : {}),
    ignoredChanged: project.ok && (await haveIgnoredChanged(run.base, project.value.files, plan.pipeline.steps)),
  };
  const applied = run.inProject === undefined ? await earlierRunChanges(planned, run, current) : ok(run.inProject);
  if (!applied.ok) return applied;
  const changes = applied.value === undefined ? ok([]) : await readChangeset(store.blobs, applied.value.digest);
  if (!changes.ok) return changes;
  const rollback = reverse(changes.value);
  const expected = ownChangesApplied(run) ? run.treeAfter : run.base.tree;
  const same = current === undefined || expected === undefined || current.tree === expected;
  if (same || (run.inProject === undefined && applied.value !== undefined)) return ok({ rollback, ...now });
  return ok({ rollback, affected: affectedSteps(planned, run, current), ...now });
}

/** The changes of an earlier run over the same base, if the project still ends in its tree. */
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

/**
 * Steps whose view of the project changed since the run started. All steps if the run itself changed the project,
 * because views are not comparable then.
 */
function affectedSteps({ plan }: PlannedRun, run: RunRecord, current: BaseRef): string[] {
  const { steps } = plan.pipeline;
  if (ownChangesApplied(run)) return steps.map(({ id }) => id);
  return steps.filter((step) => current.views[viewKey(step)] !== (run.base.views[viewKey(step)] ?? run.base.tree)).map(({ id }) => id);
}
