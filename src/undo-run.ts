/**
 * The way back from a run, wholly or to one of its steps: takes what it applied out of the project again, or puts there what the steps
 * that stay changed together. Nothing is erased: it is an event of the run. Interrupted at any instant, it can be done again.
 */
import { applyToProject, keepChanges } from "./change-project.ts";
import { changesWithout } from "./keep-steps.ts";
import type { Changeset } from "./model/changeset.ts";
import { compose, reverse } from "./model/combine-changes.ts";
import type { ChangesRef, EventPayload } from "./model/event.ts";
import { descendantsOf } from "./model/graph.ts";
import type { Journal } from "./model/ports.ts";
import { err, ok, type Result } from "./model/result.ts";
import type { RunRecord } from "./model/state.ts";
import type { Memory } from "./open-project.ts";
import { overwriting } from "./overwrite-files.ts";
import { requireJournals } from "./state/archived-run.ts";
import { noSuchStep } from "./state/run-step.ts";
import { takeBase } from "./workspace/base.ts";
import { compareProject } from "./workspace/changeset/compare-project.ts";
import { readChangeset } from "./workspace/changeset/keep-changes.ts";

/** What undoing would do. */
export interface Undoing {
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
  /** Undone steps that ran in the project itself: what they changed there stays. */
  readonly inPlace: readonly string[];
}

const hint = "they changed after the run; put your own changes aside first, or overwrite them with `--force`";

/**
 * Finds out what undoing a run means, or going back to a step of it. Fails with `usage` where there is nothing to undo, `run-not-found`, and as
 * reading blobs and the project do.
 */
export async function planUndo(memory: Memory, root: string, selector: string, to: string | undefined): Promise<Result<Undoing>> {
  const found = await memory.state.findRun(selector);
  if (!found.ok) return found;
  const run = found.value;
  const applying = run.status === "interrupted" && run.changes !== undefined && !run.applied && run.options.apply !== false;
  if (applying) return nothingToUndo(run, "its process died while it changed the project", `\`wave resume ${run.id}\` completes that`);
  const steps = to === undefined ? ok([]) : stepsAfter(run, to);
  if (!steps.ok) return steps;
  if (to === undefined && run.inProject === undefined) {
    return nothingToUndo(run, run.changes === undefined ? "it changed nothing" : "its changes are not in the project");
  }
  const writable = await requireJournals(memory.state, run.id);
  if (!writable.ok) return writable;
  const applied = run.inProject === undefined ? ok([]) : await readChangeset(memory.blobs, run.inProject.digest);
  if (!applied.ok) return applied;
  const kept = to === undefined || run.inProject === undefined ? ok([]) : await changesWithout(memory, run, new Set(steps.value));
  if (!kept.ok) return kept;
  const changes = compose(reverse(applied.value), kept.value);
  const compared = await compareProject(root, changes);
  if (!compared.ok) return compared;
  const inPlace = run.steps.filter(({ id, attempts }) => steps.value.includes(id) && attempts.some(ranInPlace)).map(({ id }) => id);
  return ok({
    run,
    ...(to === undefined ? {} : { to }),
    ...(run.inProject === undefined ? {} : { ref: run.inProject }),
    ...{ steps: steps.value, changes, kept: kept.value, inPlace },
    foreign: compared.value.foreign.map(({ path }) => path),
  });
}

/**
 * Undoes it, and says so in the run's journal. Fails with `project-changed`, and does nothing, when a file is no longer as the run left it, unless
 * `overwrite` is given: it is told which files are overwritten, before they are. Fails with `run-active` while somebody executes the run.
 */
export async function undoRun(
  memory: Memory,
  root: string,
  { run, to }: Pick<Undoing, "run" | "to">,
  overwrite?: (paths: readonly string[]) => void,
): Promise<Result<Undoing>> {
  const journal = await memory.state.openJournal(run.id);
  if (!journal.ok) return journal;
  try {
    // Planned again: another process may have written to the run until now.
    const undoing = await planUndo(memory, root, run.id, to);
    if (!undoing.ok) return undoing;
    const changed = await changeProject(memory, root, undoing.value.changes, overwrite);
    if (!changed.ok) return changed;
    const told = await tell(memory, root, journal.value, undoing.value);
    return told.ok ? undoing : told;
  } finally {
    await journal.value.close();
  }
}

async function changeProject(
  memory: Memory,
  root: string,
  changes: Changeset,
  overwrite: ((paths: readonly string[]) => void) | undefined,
): Promise<Result<void>> {
  const applied = await applyToProject(memory, root, changes, hint);
  if (applied.ok || applied.error.reason !== "project-changed" || overwrite === undefined) return applied;
  const forced = await overwriting(root, changes, applied.error.paths);
  if (!forced.ok) return forced;
  overwrite(applied.error.paths);
  return applyToProject(memory, root, forced.value, hint);
}

async function tell(memory: Memory, root: string, journal: Journal, { to, steps, ref, kept }: Undoing): Promise<Result<unknown>> {
  const events: EventPayload[] = [];
  if (to === undefined) {
    if (ref !== undefined) events.push({ type: "changes-undone", changes: ref });
  } else {
    const stays = kept.length === 0 ? ok(undefined) : await keepChanges(memory, kept);
    if (!stays.ok) return stays;
    const base = await takeBase(root, memory.stateDir, new Map());
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

function ranInPlace({ workspace, status, undone }: RunRecord["steps"][number]["attempts"][number]): boolean {
  return workspace === "shared" && status === "passed" && undone !== true;
}
