/** What one execution knows while it goes on, and the one way its events get to disk. */
import type { UpstreamChanges } from "../changeset/upstream-changes.ts";
import type { ArtifactRef, ChangesRef, EventPayload } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { Feedback } from "../core/feedback.ts";
import type { StepRecord } from "../core/state.ts";
import { type Circuits, createCircuits } from "./circuit.ts";
import type { ExecuteContext } from "./context.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import type { RetryHistory } from "./retry.ts";
import { createSchedule, type Schedule } from "./schedule.ts";

/** What a step's next attempt needs to know of those before it. */
export interface StepProgress {
  /** The number of the last attempt; 0 before the first. */
  attempt: number;
  retries: RetryHistory;
  feedback?: Feedback;
  /** Equal work was looked for, and does not pass the contracts. */
  rejected: boolean;
  /** It had passed in this run before, and that was taken back. */
  reopened: boolean;
}

export interface Run {
  readonly context: ExecuteContext;
  readonly schedule: Schedule;
  readonly circuits: Circuits;
  /** Aborted when running steps have to end: cancellation, `--on-failure stop`, an open circuit, a lost journal, a bug. */
  readonly control: AbortController;
  /** Aborted when all steps have ended. */
  readonly over: AbortController;
  /** Artifacts of passed steps. */
  readonly artifacts: Map<string, readonly ArtifactRef[]>;
  /** What passed steps changed; those that changed nothing are not in it. */
  readonly changes: Map<string, ChangesRef>;
  /** What steps build on, as far as that is known. */
  readonly builtOn: Map<string, UpstreamChanges>;
  readonly progress: Map<string, StepProgress>;
  /** Steps that passed in this run before it was resumed, with verified blobs, and have not been taken as passed yet. */
  readonly restorable: Map<string, StepRecord>;
  /** Breakers whose opening was announced. */
  readonly opened: Set<string>;
  /** Steps because of which the run fails, as they failed. */
  readonly faults: string[];
  /** What it has used of its budget. */
  readonly ledger: Ledger;
  /** An attempt in a workspace of its own has begun. */
  isolated: boolean;
  /** The run's changes may have been written to the project. */
  written: boolean;
  /** The limit on the run as a whole that it is ended for. */
  exhausted?: Failure;
  /** Who cancelled the run. */
  cancelledBy?: string;
  /** State can no longer be written or read: nothing is announced any more. */
  lost?: Failure;
  /** What was thrown. */
  bug?: { readonly thrown: unknown };
  /** Work that is under way; the run is at its end when it comes to 0. */
  underWay: number;
  atEnd: () => void;
}

/** A run before its first step. */
export function createRun(context: ExecuteContext): Run {
  return {
    context,
    schedule: createSchedule(context.plan, Math.max(1, context.options.concurrency)),
    circuits: createCircuits(context),
    control: new AbortController(),
    over: new AbortController(),
    artifacts: new Map(),
    changes: new Map(),
    builtOn: new Map(),
    progress: new Map(),
    restorable: new Map(),
    opened: new Set(),
    faults: [],
    ledger: openLedger(context.plan.pipeline.budget, context.prior),
    isolated: false,
    written: false,
    underWay: 0,
    atEnd: () => undefined,
  };
}

/** Writes events, then tells the reporters. False when the run is lost: what the events announce must not be acted upon. */
export async function appendAndNotify(run: Run, payloads: readonly EventPayload[]): Promise<boolean> {
  if (run.lost !== undefined) return false;
  if (payloads.length === 0) return true;
  const appended = await run.context.journal.append(payloads);
  if (!appended.ok) {
    abort(run, appended.error);
    return false;
  }
  run.context.publish(appended.value);
  return true;
}

/** Gives the run up: its children are stopped and nothing more is written. The first failure is kept. */
export function abort(run: Run, failure: Failure): void {
  run.lost ??= failure;
  run.control.abort(failure.reason);
}

/** Counts work as under way until it ends. What it throws is kept, and stops everything else. */
export function track(run: Run, work: Promise<void>): void {
  run.underWay += 1;
  work
    .catch((thrown: unknown) => {
      run.bug ??= { thrown };
      run.control.abort("a bug in wave");
    })
    .finally(() => {
      run.underWay -= 1;
      if (run.underWay === 0) run.atEnd();
    });
}

/** A step's progress. Numbers go on above the attempts that this run already has, and a failed one gives its feedback. */
export function progressOf(run: Run, step: string): StepProgress {
  const known = run.progress.get(step);
  if (known !== undefined) return known;
  const attempts = run.context.prior.get(step)?.attempts ?? [];
  const last = attempts.reduce<(typeof attempts)[number] | undefined>(
    (a, b) => (a === undefined || b.attempt > a.attempt ? b : a),
    undefined,
  );
  const progress: StepProgress = { attempt: last?.attempt ?? 0, retries: { work: 0, transient: 0 }, rejected: false, reopened: false };
  if (last?.status === "failed" && last.failure !== undefined) progress.feedback = { attempt: last.attempt, failure: last.failure };
  run.progress.set(step, progress);
  return progress;
}
