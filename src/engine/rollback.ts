/**
 * The way back from a run, wholly or to one of its steps: takes what it applied out of the project again, or puts there what the steps
 * that stay changed together. Nothing is erased: it is an event of the run. Interrupted at any instant, it can be done again.
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

/** What undoing would do. */
export interface RollbackPlan {
  readonly run: RunRecord;
  /** The step that is gone back to; nothing where the whole run is undone. */
  readonly to?: string;
  /** The steps that have to run again, with `to`. */
  readonly steps: readonly string[];
  /** What the project has of the run now; nothing where it has nothing. */
  readonly ref?: ChangesRef;
  /** What is done to the project. */
  readonly changes: Changeset;
  /** What the project has of the run afterwards. */
  readonly kept: Changeset;
  /** Paths that are no longer as the run left them. */
  readonly foreign: readonly string[];
  /** Paths that are not written, since they are already as they will be afterwards. */
  readonly settled: readonly string[];
  /** Later runs that wrote the same content to some of the paths. */
  readonly claims: readonly LaterClaim[];
  /** Undone steps that ran in the project itself: what they changed there stays. */
  readonly inPlace: readonly string[];
}

const hint = "they changed after the run; put your own changes aside first, or overwrite them with `--force`";

/**
 * Finds out what undoing a run means, or going back to a step of it. Fails with `usage` where there is nothing to undo, `run-active` while a
 * process executes the run, `run-not-found`, and as reading blobs and the project do.
 */
export async function planRollback(store: RunStore, root: string, selector: string, to: string | undefined): Promise<Result<RollbackPlan>> {
  const found = await store.state.findRun(selector);
  if (!found.ok) return found;
  const { id, status, writer } = found.value;
  if (status === "running") return err({ reason: "run-active", run: id, pid: writer.pid, host: writer.host });
  return planIdle(store, root, found.value, to);
}

/** Plans for a run that no other process executes. */
async function planIdle(store: RunStore, root: string, run: RunRecord, to: string | undefined): Promise<Result<RollbackPlan>> {
  const other = refuseOtherRollback(run, to);
  if (other !== undefined) return err(other);
  const applying = run.status === "interrupted" && run.changes !== undefined && !run.applied && run.options.apply !== false;
  if (applying) return nothingToUndo(run, "its process died while it changed the project", `\`wave resume ${run.id}\` completes that`);
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
  const { found, foreign } = compared.value;
  const isSettled = (entry: ChangesetEntry) => isAfter(entry, found.get(entry.path) ?? { kind: "nothing" });
  const claims = await laterClaims(
    store,
    run,
    changes.filter((entry) => !isSettled(entry)),
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
    foreign: foreign.map(({ path }) => path),
    settled: changes.filter(isSettled).map(({ path }) => path),
  });
}

/**
 * Undoes it, and says so in the run's journal. Fails with `project-changed`, and does nothing, when a file is no longer as the run left it, or a later run
 * wrote the same content, unless `overwrite` is given: it is called with these files before they change. Fails with `run-active` while another
 * process executes the run.
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
    // Planned again: another process may have written to the run until now.
    const now = await store.state.findRun(run.id);
    if (!now.ok) return now;
    const rollback = await planIdle(store, root, now.value, to);
    if (!rollback.ok) return rollback;
    const beforeWrite = startRollback(store, journal.value, rollback.value);
    const changed = await changeProject(store, root, rollback.value, beforeWrite, overwrite);
    if (!changed.ok) return changed;
    const told = await tell(store, root, journal.value, rollback.value);
    if (told.ok) await endRollback(store, run.id);
    return told.ok ? rollback : told;
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

async function tell(store: RunStore, root: string, journal: Journal, { to, steps, ref, kept }: RollbackPlan): Promise<Result<unknown>> {
  const events: EventPayload[] = [];
  if (to === undefined) {
    if (ref !== undefined) events.push({ type: "changes-undone", changes: ref });
  } else {
    const stays = kept.length === 0 ? ok(undefined) : await keepChanges(store, kept);
    if (!stays.ok) return stays;
    const base = await takeBase(root, store.stateDir, new Map());
    const changes = stays.value === undefined ? {} : { changes: stays.value };
    events.push({ type: "steps-rolled-back", to, steps: [...steps], ...changes, ...(base.ok ? { tree: base.value.tree } : {}) });
  }
  return journal.append(events);
}

/** What descends from a step, where some of it passed. */
function stepsAfter(run: RunRecord, to: string): Result<readonly string[]> {
  const byId = new Map(run.steps.map((step) => [step.id, step]));
  if (!byId.has(to)) return err(noSuchStep(run, to));
  const steps = descendantsOf([...byId.keys()], (id) => byId.get(id)?.dependencies ?? [], to);
  if (steps.some((id) => byId.get(id)?.status === "passed")) return ok(steps);
  return nothingToUndo(
    run,
    steps.length === 0 ? `nothing descends from step \`${to}\`` : `no step that descends from \`${to}\` has passed`,
  );
}

function nothingToUndo(run: RunRecord, why: string, what = "`wave status` lists the runs"): Result<never> {
  return err({ reason: "usage", message: `run ${run.id} has nothing to undo: ${why}`, hint: what });
}

/** A run of which the project has no changes. */
function notInProject(run: RunRecord, inPlace: readonly string[]): Result<never> {
  if (inPlace.length > 0) {
    const steps = inPlace.map((id) => `\`${id}\``).join(", ");
    const why = `${steps} ran in the project itself (\`workspace: shared\`), so what changed there cannot be undone`;
    return nothingToUndo(run, why, "restore these files yourself, for example with git");
  }
  return nothingToUndo(run, run.changes === undefined ? "it changed nothing" : "its changes are not in the project");
}

/** The steps, of some or of all, that ran in the project itself, whether they passed or not. */
function inPlaceOf({ steps }: RunRecord, among: readonly string[] | undefined): string[] {
  const some = steps.filter(({ id }) => among?.includes(id) ?? true);
  return some.filter(({ attempts }) => attempts.some(({ workspace }) => workspace === "shared")).map(({ id }) => id);
}

function claimHint(claims: readonly LaterClaim[]): string {
  const runs = claims.map(({ run }) => run).join(", ");
  return `${claims.length === 1 ? "run" : "runs"} ${runs} wrote the same content later: roll that back first, or overwrite it with \`--force\``;
}

/**
 * The changes of a run's passed steps over its base, but for the steps that are `undone`. Merged anew from what each step changed: what an undone
 * step made of a file is nowhere in it. Fails with `merge-conflict`, and as reading blobs does.
 */
async function mergeExcluding({ blobs }: RunStore, run: RunRecord, rolledBack: ReadonlySet<string>): Promise<Result<Changeset>> {
  const byId = new Map(run.steps.map((step) => [step.id, step]));
  const below = new Map<string, UpstreamChanges>();
  const sources: ChangeSource[] = [];
  for (const id of topologicalOrder([...byId.keys()], (step) => byId.get(step)?.dependencies ?? [])) {
    const step = byId.get(id);
    if (step === undefined) continue;
    const built = collectUpstream(step.dependencies.map((up) => ({ id: up, builtOn: below.get(up) ?? new Map(), ...changesOf(up) })));
    below.set(id, built);
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
