/**
 * Ends steps: moves the schedule on and gives the events that say so. Here `--on-failure`, `optional` and cancellation get
 * their meaning. Writes nothing and starts nothing.
 */
import { defined } from "../core/defined.ts";
import type { ArtifactRef, ChangesRef, EventPayload } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { Step } from "../core/pipeline.ts";
import { noteChanges } from "./changes.ts";
import type { Run } from "./run-state.ts";
import { type Dropped, dropPaused, dropUnstarted, finishStep, isOpen, isUnstarted } from "./schedule.ts";

/** What a passed step left. */
export interface StepOutput {
  readonly artifacts: readonly ArtifactRef[];
  readonly changes?: ChangesRef;
}

/** A step passed. `attempt` is absent for reused work. */
export function concludePassed(run: Run, step: Step, left: StepOutput, attempt?: number): EventPayload[] {
  keepPassed(run, step, left);
  return [{ type: "step-finished", step: step.id, status: "passed", ...defined({ attempt }) }];
}

/** A step had passed already in this run: what it left counts, and no event says so again. */
export function keepPassed(run: Run, step: Step, left: StepOutput): void {
  run.artifacts.set(step.id, left.artifacts);
  noteChanges(run, step, left.changes);
  finishStep(run.schedule, step.id, "passed");
}

/** A step failed for good; then what `--on-failure` says. An open circuit stops the run whatever it says. */
export function concludeFailed(run: Run, step: Step, failure: Failure, attempt?: number): EventPayload[] {
  const dropped = finishStep(run.schedule, step.id, "failed");
  const own: EventPayload = {
    type: "step-finished",
    step: step.id,
    status: "failed",
    failure,
    ...defined({ attempt }),
  };
  const payloads = [own, ...skipped(run, dropped)];
  const halts = failure.reason === "circuit-open";
  if (step.optional && !halts) return payloads;
  run.faults.push(step.id);
  const mode = halts ? "stop" : run.context.options.onFailure;
  if (mode === "keep-going") return payloads;
  const because = `${step.id} failed, and nothing is started after a failure`;
  payloads.push(
    ...skipped(
      run,
      dropUnstarted(run.schedule, "skipped").map((id) => ({ id, because })),
    ),
  );
  if (mode === "stop") payloads.push(...stopRunning(run, `${step.id} failed`));
  return payloads;
}

/** Steps that were to be left out end before anything starts, with what cannot do without them. */
export function concludeLeftOut(run: Run, ids: ReadonlySet<string>): EventPayload[] {
  const told: Dropped[] = [];
  for (const { step } of run.context.plan.steps) {
    if (!ids.has(step.id)) continue;
    if (!isOpen(run.schedule, step.id)) continue;
    told.push({ id: step.id, because: "left out with --skip" }, ...finishStep(run.schedule, step.id, "skipped"));
  }
  return skipped(run, told);
}

/** A running step was stopped. `attempt` is absent when none had begun. */
export function concludeCancelled(run: Run, step: Step, attempt?: number): EventPayload[] {
  const dropped = finishStep(run.schedule, step.id, "cancelled");
  return [cancelled(step.id, stopReason(run), attempt), ...skipped(run, dropped)];
}

/** The run was cancelled: everything that holds no slot ends now; what runs is told to, and ends by itself. */
export function cancelRun(run: Run, by: string): EventPayload[] {
  if (run.schedule.open === 0) return [];
  run.cancelledBy = by;
  const unstarted = dropUnstarted(run.schedule, "cancelled").filter((id) => !run.restorable.has(id));
  return [...unstarted.map((id) => cancelled(id, stopReason(run))), ...stopRunning(run, by)];
}

/** The run's budget is spent: everything that has not begun is left out, and what runs is told to end. */
export function exhaustRun(run: Run, why: string): EventPayload[] {
  const unstarted = dropUnstarted(run.schedule, "skipped").map((id) => ({ id, because: why }));
  return [...skipped(run, unstarted), ...stopRunning(run, why)];
}

/** Little is left of the run's budget: optional steps that have not begun are left out, with what cannot do without them. */
export function dropOptional(run: Run): EventPayload[] {
  const told: Dropped[] = [];
  for (const { step } of run.context.plan.steps) {
    if (!step.optional || !isUnstarted(run.schedule, step.id)) continue;
    told.push(
      { id: step.id, because: "it is optional, and most of the run's budget is used" },
      ...finishStep(run.schedule, step.id, "skipped"),
    );
  }
  return skipped(run, told);
}

function stopRunning(run: Run, why: string): EventPayload[] {
  run.control.abort(why);
  return dropPaused(run.schedule).map((id) => cancelled(id, stopReason(run)));
}

function stopReason(run: Run): string {
  return run.cancelledBy === undefined
    ? `stopped because ${String(run.control.signal.reason)}`
    : `the run was cancelled by ${run.cancelledBy}`;
}

/** A step that passed before the run was resumed keeps that in its record, though it was not come to again. */
function skipped(run: Run, dropped: readonly Dropped[]): EventPayload[] {
  const told = dropped.filter(({ id }) => !run.restorable.has(id));
  return told.map(({ id, because }) => ({ type: "step-finished", step: id, status: "skipped", because }));
}

function cancelled(step: string, because: string, attempt?: number): EventPayload {
  return { type: "step-finished", step, status: "cancelled", because, ...defined({ attempt }) };
}
