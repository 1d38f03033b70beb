/**
 * Rolls back a run, or the steps after one of its steps: reverts the changes that it applied, or replaces them with the merged changes of
 * the remaining steps. A rollback is an event of the run; nothing is erased. Safe to repeat after an interruption.
 */

import { compose, reverse } from "../changeset/combine-changes.ts";
import { compareProject, isAfter } from "../changeset/compare-project.ts";
import { type ChangeSource, mergeChangesets } from "../changeset/merge-changes.ts";
import { mergeFilesWith } from "../changeset/merge-files.ts";
import { readChangeset } from "../changeset/read-changeset.ts";
import { collectUpstream, type UpstreamChanges } from "../changeset/upstream-changes.ts";
import type { Changeset, ChangesetEntry } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import type { Digest } from "../core/digest.ts";
import type { ChangesRef, EventPayload } from "../core/event.ts";
import { descendantsOf, topologicalOrder } from "../core/graph.ts";
import type { Journal } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import { requireJournals } from "../store/archived-run.ts";
import { noSuchStep } from "../store/run-step.ts";
import { takeBase } from "../workspace/base.ts";
import { applyToProject, keepChanges } from "./change-project.ts";
import { rebaseOntoDisk } from "./force-overwrite.ts";
import { type LaterClaim, laterClaims } from "./later-claims.ts";
import type { RunStore } from "./open-project.ts";
import { endRollback, refuseOtherRollback, startRollback } from "./open-rollback.ts";

/** The effects of a rollback. */
export interface RollbackPlan {
  readonly run: RunRecord;
  /** The last step that is kept. Undefined if the whole run is rolled back. */
  readonly to?: string;
  /** With `to`: the steps that must run again. */
  readonly steps: readonly string[];
  /** The changes of the run that are in the project. Undefined if there are none. */
  readonly ref?: ChangesRef;
  /** The changes that are made to the project. */
  readonly changes: Changeset;
  /** The changes of the run that remain in the project. */
  readonly kept: Changeset;
  /** Paths that were modified after the run. */
  readonly modifiedSince: readonly string[];
  /** Paths that are already in their final state, so that they are not written. */
  readonly upToDate: readonly string[];
  /** Later runs that wrote the same content to some of the paths. */
  readonly claims: readonly LaterClaim[];
  /** Rolled-back steps that ran in the project itself: their changes are not reverted. */
  readonly inPlace: readonly string[];
}

const hint = "they changed after the run; move your own changes away first, or overwrite them with `--force`";

/**
 * Plans the rollback of a run, or of the steps after `to`. Fails with `usage` if there is nothing to roll back, `run-active` while a
 * process executes the run, `run-not-found`, and as reading blobs and the project does.
 */
export async function planRollback(store: RunStore, root: string, selector: string, to: string | undefined): Promise<Result<RollbackPlan>> {
  const run = await store.state.findRun(selector);
  if (!run.ok) return run;
  const { id, status, writer } = run.value;
  if (status === "running") return err({ reason: "run-active", run: id, pid: writer.pid, host: writer.host });
  return planIdle(store, root, run.value, to);
}

/** Plans for a run that no other process executes. */
async function planIdle(store: RunStore, root: string, run: RunRecord, to: string | undefined): Promise<Result<RollbackPlan>> {
  const other = refuseOtherRollback(run, to);
  if (other !== undefined) return err(other);
  const applying = run.status === "interrupted" && run.changes !== undefined && !run.applied && run.options.apply !== false;
  if (applying) return nothingToRollBack(run, "its process died while it changed the project", `\`wave resume ${run.id}\` completes that`);
  const steps = to === undefined ? ok([]) : stepsAfter(run, to);
  if (!steps.ok) return steps;
  const inPlace = inPlaceOf(run, to === undefined ? undefined : steps.value);
  if (to === undefined && run.inProject === undefined) return notInProject(run, inPlace);
  const writable = await requireJournals(store.state, run.id);
  if (!writable.ok) return writable;
  const applied = run.inProject === undefined ? ok([]) : await readChangeset(store.blobs, run.inProject.digest);
  if (!applied.ok) return applied;
  const kept = to === undefined || run.inProject === undefined ? ok([]) : await mergeExcluding(store, run, new Set(steps.value));
  if (!kept.ok) return kept;
  const changes = compose(reverse(applied.value), kept.value);
  const compared = await compareProject(root, changes);
  if (!compared.ok) return compared;
  const { found: states, foreign } = compared.value;
  const isUpToDate = (entry: ChangesetEntry) => isAfter(entry, states.get(entry.path) ?? { kind: "nothing" });
  const claims = await laterClaims(
    store,
    run,
    changes.filter((entry) => !isUpToDate(entry)),
  );
  if (!claims.ok) return claims;
  return ok({
    run,
    ...defined({ to, ref: run.inProject }),
    steps: steps.value,
    changes,
    kept: kept.value,
    inPlace,
    claims: claims.value,
    modifiedSince: foreign.map(({ path }) => path),
    upToDate: changes.filter(isUpToDate).map(({ path }) => path),
  });
}

/**
 * Rolls back, and records it in the run's journal. Fails with `project-changed`, without writing, if files were modified after the run or
 * a later run wrote the same content. With `overwrite` they are overwritten, and it is called with their paths first. Fails with
 * `run-active` while another process executes the run.
 */
export async function rollBackRun(
  store: RunStore,
  root: string,
  { run, to }: Pick<RollbackPlan, "run" | "to">,
  overwrite?: (paths: readonly string[]) => void,
): Promise<Result<RollbackPlan>> {
  const journal = await store.state.openJournal(run.id);
  if (!journal.ok) return journal;
  try {
    // Planned again: another process may have written to the run meanwhile.
    const now = await store.state.findRun(run.id);
    if (!now.ok) return now;
    const rollback = await planIdle(store, root, now.value, to);
    if (!rollback.ok) return rollback;
    const beforeWrite = startRollback(store, journal.value, rollback.value);
    const changed = await changeProject(store, root, rollback.value, beforeWrite, overwrite);
    if (!changed.ok) return changed;
    const recorded = await recordRollback(store, root, journal.value, rollback.value);
    if (recorded.ok) await endRollback(store, run.id);
    return recorded.ok ? rollback : recorded;
  } finally {
    await journal.value.close();
  }
}

async function changeProject(
  store: RunStore,
  root: string,
  { changes, claims }: RollbackPlan,
  beforeWrite: () => Promise<Result<unknown>>,
  overwrite: ((paths: readonly string[]) => void) | undefined,
): Promise<Result<void>> {
  if (claims.length > 0) {
    const paths = [...new Set(claims.flatMap((claim) => claim.paths))];
    if (overwrite === undefined) return err({ reason: "project-changed", paths, hint: claimHint(claims) });
    overwrite(paths);
  }
  const applied = await applyToProject(store, root, changes, hint, beforeWrite);
  if (applied.ok || applied.error.reason !== "project-changed" || overwrite === undefined) return applied;
  const forced = await rebaseOntoDisk(root, changes, applied.error.paths);
  if (!forced.ok) return forced;
  overwrite(applied.error.paths);
  return applyToProject(store, root, forced.value, hint, beforeWrite);
}

/** Appends the event of a rollback. */
async function recordRollback(
  store: RunStore,
  root: string,
  journal: Journal,
  { to, steps, ref, kept }: RollbackPlan,
): Promise<Result<unknown>> {
  const events: EventPayload[] = [];
  if (to === undefined) {
    if (ref !== undefined) events.push({ type: "changes-undone", changes: ref });
  } else {
    const stored = kept.length === 0 ? ok(undefined) : await keepChanges(store, kept);
    if (!stored.ok) return stored;
    const base = await takeBase(root, store.stateDir, new Map());
    const changes = stored.value === undefined ? {} : { changes: stored.value };
    events.push({ type: "steps-rolled-back", to, steps: [...steps], ...changes, ...(base.ok ? { tree: base.value.tree } : {}) });
  }
  return journal.append(events);
}

/** The steps that descend from a step. Fails with `usage` if none of them has passed. */
function stepsAfter(run: RunRecord, to: string): Result<readonly string[]> {
  const byId = new Map(run.steps.map((step) => [step.id, step]));
  if (!byId.has(to)) return err(noSuchStep(run, to));
  const steps = descendantsOf([...byId.keys()], (id) => byId.get(id)?.dependencies ?? [], to);
  if (steps.some((id) => byId.get(id)?.status === "passed")) return ok(steps);
  return nothingToRollBack(
    run,
    steps.length === 0 ? `nothing descends from step \`${to}\`` : `no step that descends from \`${to}\` has passed`,
  );
}

function nothingToRollBack(run: RunRecord, why: string, hint = "`wave status` lists the runs"): Result<never> {
  return err({ reason: "usage", message: `run ${run.id} has nothing to roll back: ${why}`, hint });
}

/** The failure of a run whose changes are not in the project. */
function notInProject(run: RunRecord, inPlace: readonly string[]): Result<never> {
  if (inPlace.length > 0) {
    const steps = inPlace.map((id) => `\`${id}\``).join(", ");
    const why = `${steps} ran in the project itself (\`workspace: shared\`), so what changed there cannot be undone`;
    return nothingToRollBack(run, why, "restore these files yourself, for example with git");
  }
  return nothingToRollBack(run, run.changes === undefined ? "it changed nothing" : "its changes are not in the project");
}

/** The steps that ran in the project itself, whether they passed or not; `among` limits them to some steps. */
function inPlaceOf({ steps }: RunRecord, among: readonly string[] | undefined): string[] {
  const some = steps.filter(({ id }) => among?.includes(id) ?? true);
  return some.filter(({ attempts }) => attempts.some(({ workspace }) => workspace === "shared")).map(({ id }) => id);
}

function claimHint(claims: readonly LaterClaim[]): string {
  const runs = claims.map(({ run }) => run).join(", ");
  return `${claims.length === 1 ? "run" : "runs"} ${runs} wrote the same content later: roll that back first, or overwrite it with \`--force\``;
}

/**
 * The merged changes of a run's passed steps over its base, except those of `rolledBack`. Merges the changesets of the remaining steps, so
 * that no content of a rolled-back step is left. Fails with `merge-conflict`, and as reading blobs does.
 */
async function mergeExcluding({ blobs }: RunStore, run: RunRecord, rolledBack: ReadonlySet<string>): Promise<Result<Changeset>> {
  const byId = new Map(run.steps.map((step) => [step.id, step]));
  const upstream = new Map<string, UpstreamChanges>();
  const sources: ChangeSource[] = [];
  for (const id of topologicalOrder([...byId.keys()], (step) => byId.get(step)?.dependencies ?? [])) {
    const step = byId.get(id);
    if (step === undefined) continue;
    const built = collectUpstream(step.dependencies.map((up) => ({ id: up, builtOn: upstream.get(up) ?? new Map(), ...changesOf(up) })));
    upstream.set(id, built);
    const { changes: digest } = changesOf(id);
    if (digest === undefined) continue;
    const changes = await readChangeset(blobs, digest);
    if (!changes.ok) return changes;
    sources.push({ step: id, builtOn: new Set(built.keys()), changes: changes.value });
  }
  const merged = await mergeChangesets(sources, mergeFilesWith(blobs));
  if (!merged.ok) return merged;
  const { changes, conflicts } = merged.value;
  return conflicts.length === 0 ? ok(changes) : err({ reason: "merge-conflict", conflicts });

  function changesOf(id: string): { changes?: Digest } {
    const step = byId.get(id);
    return step?.status !== "passed" || step.changes === undefined || rolledBack.has(id) ? {} : { changes: step.changes.digest };
  }
}
