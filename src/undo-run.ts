/** The way back from a run: takes what it applied out of the project again. Nothing is erased: it is an event of the run. */
import { applyToProject } from "./change-project.ts";
import type { Changeset } from "./model/changeset.ts";
import { reverse } from "./model/combine-changes.ts";
import type { ChangesRef } from "./model/event.ts";
import { err, ok, type Result } from "./model/result.ts";
import type { RunRecord } from "./model/state.ts";
import type { Memory } from "./open-project.ts";
import { requireJournals } from "./state/require-journals.ts";
import { readChangeset } from "./workspace/changeset/keep-changes.ts";

/** A run whose changes the project has. */
export interface AppliedRun {
  readonly run: RunRecord;
  readonly ref: ChangesRef;
  readonly changes: Changeset;
}

/** Finds a run whose changes can be undone. Fails with `usage` where the project has none of it. */
export async function findApplied({ state, blobs }: Memory, selector: string): Promise<Result<AppliedRun>> {
  const found = await state.findRun(selector);
  if (!found.ok) return found;
  const run = found.value;
  if (run.changes === undefined || !run.applied) {
    const why = run.changes === undefined ? "it changed nothing" : "its changes are not in the project";
    return err({ reason: "usage", message: `run ${run.id} has nothing to undo: ${why}`, hint: "`wave status` lists the runs" });
  }
  const writable = await requireJournals(state, run.id);
  if (!writable.ok) return writable;
  const changes = await readChangeset(blobs, run.changes.digest);
  return changes.ok ? ok({ run, ref: run.changes, changes: changes.value }) : changes;
}

/**
 * Puts every file that the run changed back as it was, and says so in its journal. Fails with `project-changed`, and does nothing, when one of
 * them is no longer as the run left it; with `run-active` while somebody executes the run.
 */
export async function undoRun(memory: Memory, root: string, { run, ref, changes }: AppliedRun): Promise<Result<void>> {
  const journal = await memory.state.openJournal(run.id);
  if (!journal.ok) return journal;
  try {
    const undone = await applyToProject(memory, root, reverse(changes), "they changed after the run; put your own changes aside first");
    if (!undone.ok) return undone;
    const told = await journal.value.append([{ type: "changes-undone", changes: ref }]);
    return told.ok ? ok(undefined) : told;
  } finally {
    await journal.value.close();
  }
}
