/**
 * Computes the record of a run from its events and from which processes are alive. Pure. An unfinished run without a
 * live process is `interrupted`, as are its open attempts; their steps are `pending` again.
 */
import { defined } from "../core/defined.ts";
import type { WaveEvent } from "../core/event.ts";
import type { AttemptRecord, RunRecord, RunStatus, StepRecord, StepStatus } from "../core/state.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { foldRun } from "./fold-run.ts";
import type { AttemptFold, ReusedFold, RunFold, StepFold, WriterFold } from "./run-fold.ts";

export type Liveness = (identity: ProcessIdentity) => boolean;

/** The record, from events in any order; undefined if the run never started. */
export function projectRun(events: readonly WaveEvent[], isAlive: Liveness): RunRecord | undefined {
  const fold = foldRun(events);
  return fold === undefined ? undefined : resolveStatus(fold, isAlive);
}

/** Whether a process may still write events of the run. */
export function hasLiveWriter(writers: readonly WriterFold[], isAlive: Liveness): boolean {
  return writers.some((writer) => !writer.closed && isAlive(writer));
}

/** The status of a run with this outcome; without a live writer or an outcome it is `interrupted`. */
export function statusOf(outcome: RunFold["outcome"], writers: readonly WriterFold[], isAlive: Liveness): RunStatus {
  if (outcome !== undefined && outcome !== "pending") return outcome;
  return hasLiveWriter(writers, isAlive) ? "running" : (outcome ?? "interrupted");
}

/** The current record of a fold. */
export function resolveStatus(fold: RunFold, isAlive: Liveness): RunRecord {
  const { outcome, writers, openRollback, steps, samples: _samples, resets: _resets, revoked: _revoked, ...run } = fold;
  const status = statusOf(outcome, writers, isAlive);
  const working = new Set(
    status === "running" ? writers.filter((writer) => hasLiveWriter([writer], isAlive)).map((writer) => writer.writer) : [],
  );
  const { pid, processStart, host } = writers.at(-1) ?? { pid: 0, processStart: "", host: "" };
  return {
    ...run,
    status,
    ...(openRollback === undefined
      ? {}
      : { openRollback: { ...openRollback, ...(hasLiveWriter(writers, isAlive) ? { running: true as const } : {}) } }),
    ...(status === "running" ? {} : { durationMs: spentMs(writers) }),
    steps: steps.map((step) => resolveStepStatus(step, working)),
    writer: { pid, processStart, host },
  };
}

/** Time that processes spent on a run, in milliseconds. */
export function spentMs(writers: readonly WriterFold[]): number {
  return writers.reduce((sum, writer) => sum + writer.spentMs, 0);
}

/** A step's status; `working` are the writers that are still alive. */
export function stepStatus(step: Pick<StepFold, "status" | "writer">, working: ReadonlySet<string>): StepStatus {
  return step.status === "running" && (step.writer === undefined || !working.has(step.writer)) ? "pending" : step.status;
}

function resolveStepStatus(step: StepFold, working: ReadonlySet<string>): StepRecord {
  const { writer: _writer, winner, reused, ...record } = step;
  const { fingerprint, artifacts = [], changes }: Partial<ReusedFold> = (winner === undefined ? reused : step.attempts[winner]) ?? {};
  return {
    ...record,
    ...defined({ reusedFrom: reused?.from, fingerprint, changes }),
    artifacts,
    status: stepStatus(step, working),
    attempts: step.attempts.map((attempt) => resolveAttemptStatus(attempt, working)),
  };
}

function resolveAttemptStatus(attempt: AttemptFold, working: ReadonlySet<string>): AttemptRecord {
  const { writer, ...record } = attempt;
  return record.status === "running" && !working.has(writer) ? { ...record, status: "interrupted" } : record;
}
