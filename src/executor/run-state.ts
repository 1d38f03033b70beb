/**
 * The state of a run while it is executed. Ends steps according to `--on-failure`, `optional` and cancellation, and appends events.
 * Starts nothing and decides no retries: `dispatch.ts` does.
 */
import { defined } from "../core/defined.ts";
import type { ArtifactRef, ChangesRef, EventPayload } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { Feedback } from "../core/feedback.ts";
import type { Step } from "../core/pipeline.ts";
import type { PlannedStep } from "../core/plan.ts";
import type { StepRecord } from "../core/state.ts";
import { RunChanges } from "./changes.ts";
import type { ExecuteContext } from "./context.ts";
import type { RetryHistory } from "./retry.ts";
import {
  createSchedule,
  type Dropped,
  dropPaused,
  dropUnstarted,
  finishStep,
  isOpen,
  isUnstarted,
  offer,
  pause,
  type Schedule,
  take,
} from "./schedule.ts";

/** The attempts of a step so far, as its next attempt needs them. */
export interface StepProgress {
  /** The number of the last attempt; 0 before the first. */
  attempt: number;
  retries: RetryHistory;
  feedback?: Feedback;
  /** A cached result failed the contracts. */
  rejectedCache: boolean;
  /** The step had passed in this run, and `step-reopened` is written. */
  reopened: boolean;
}

/** The output of a passed step. */
export interface StepOutput {
  readonly artifacts: readonly ArtifactRef[];
  readonly changes?: ChangesRef;
}

export class RunState {
  readonly context: ExecuteContext;
  readonly changes: RunChanges;
  readonly #schedule: Schedule;
  /** Aborted when running steps have to end: cancellation, `--on-failure stop`, an open circuit, an unwritable journal, a bug. */
  readonly #stop = new AbortController();
  readonly #artifacts = new Map<string, readonly ArtifactRef[]>();
  readonly #progress = new Map<string, StepProgress>();
  readonly #restorable = new Map<string, StepRecord>();
  readonly #failedSteps: string[] = [];
  #cancelledBy: string | undefined;
  #fatalError: Failure | undefined;

  constructor(context: ExecuteContext) {
    this.context = context;
    this.changes = new RunChanges(context.plan, context.services.changes);
    this.#schedule = createSchedule(context.plan, Math.max(1, context.run.options.concurrency));
  }

  /** Aborted when running steps have to end. */
  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Why state can no longer be read or written. Nothing is appended once it is set. */
  get fatalError(): Failure | undefined {
    return this.#fatalError;
  }

  /** Set when the run was cancelled. */
  get cancelledBy(): string | undefined {
    return this.#cancelledBy;
  }

  /** The steps that make the run fail, in the order in which they failed. */
  get failedSteps(): readonly string[] {
    return this.#failedSteps;
  }

  /** The artifacts of passed steps, by step. */
  get artifacts(): ReadonlyMap<string, readonly ArtifactRef[]> {
    return this.#artifacts;
  }

  /** How many steps have not ended. */
  get openSteps(): number {
    return this.#schedule.open;
  }

  /** Appends events, then notifies the reporters. Returns false after a fatal error: the caller must not act on the events then. */
  async append(payloads: readonly EventPayload[]): Promise<boolean> {
    if (this.#fatalError !== undefined) return false;
    if (payloads.length === 0) return true;
    const appended = await this.context.services.journal.append(payloads);
    if (!appended.ok) {
      this.abort(appended.error);
      return false;
    }
    this.context.hooks.notifyReporters(appended.value);
    return true;
  }

  /** Stops all children; nothing is appended any more. Keeps the first failure. */
  abort(failure: Failure): void {
    this.#fatalError ??= failure;
    this.stop(failure.reason);
  }

  /** Stops all children. */
  stop(why: string): void {
    this.#stop.abort(why);
  }

  /** Takes a slot for the next step. Undefined if none can start now. */
  takeNext(): PlannedStep | undefined {
    return take(this.#schedule);
  }

  /** Frees the slot of a step that waits for its next attempt. */
  pause(step: Step): void {
    pause(this.#schedule, step.id);
  }

  /** Queues a paused step again. */
  requeue(step: Step): void {
    offer(this.#schedule, step.id);
  }

  /** Attempt numbers continue above those that the run already has; if the last one failed, its failure is the feedback. */
  progressOf(id: string): StepProgress {
    const known = this.#progress.get(id);
    if (known !== undefined) return known;
    const attempts = this.context.run.prior.get(id)?.attempts ?? [];
    const last = attempts.reduce<(typeof attempts)[number] | undefined>(
      (a, b) => (a === undefined || b.attempt > a.attempt ? b : a),
      undefined,
    );
    const retries = { work: 0, transient: 0 };
    const progress: StepProgress = { attempt: last?.attempt ?? 0, retries, rejectedCache: false, reopened: false };
    if (last?.status === "failed" && last.failure !== undefined) progress.feedback = { attempt: last.attempt, failure: last.failure };
    this.#progress.set(id, progress);
    return progress;
  }

  /** The record of a step that passed before the run was resumed, with verified blobs, and that has not been reached yet. */
  restorable(id: string): StepRecord | undefined {
    return this.#restorable.get(id);
  }

  addRestorable(record: StepRecord): void {
    this.#restorable.set(record.id, record);
  }

  removeRestorable(id: string): void {
    this.#restorable.delete(id);
  }

  /** Takes restorable steps as passed whose dependencies are too. The plan's order has dependencies first. */
  restorePassed(): void {
    for (const { step } of this.context.plan.steps) {
      const record = this.#restorable.get(step.id);
      if (record === undefined || this.#schedule.nodes.get(step.id)?.state !== "ready") continue;
      this.#restorable.delete(step.id);
      this.keepPassed(step, record);
    }
  }

  /** A step passed. `attempt` is undefined for a reused result. */
  endPassed(step: Step, output: StepOutput, attempt?: number): EventPayload[] {
    this.keepPassed(step, output);
    return [{ type: "step-finished", step: step.id, status: "passed", ...defined({ attempt }) }];
  }

  /** A step had passed already in this run: its output counts, without another event. */
  keepPassed(step: Step, output: StepOutput): void {
    this.#artifacts.set(step.id, output.artifacts);
    this.changes.record(step, output.changes);
    finishStep(this.#schedule, step.id, "passed");
  }

  /** A step failed for good. Applies `--on-failure`; an open circuit always stops the run. */
  endFailed(step: Step, failure: Failure, attempt?: number): EventPayload[] {
    const dropped = finishStep(this.#schedule, step.id, "failed");
    const own: EventPayload = { type: "step-finished", step: step.id, status: "failed", failure, ...defined({ attempt }) };
    const payloads = [own, ...this.#skipped(dropped)];
    const isCircuitOpen = failure.reason === "circuit-open";
    if (step.optional && !isCircuitOpen) return payloads;
    this.#failedSteps.push(step.id);
    const mode = isCircuitOpen ? "stop" : this.context.run.options.onFailure;
    if (mode === "keep-going") return payloads;
    const because = `${step.id} failed, and nothing is started after a failure`;
    const unstarted = dropUnstarted(this.#schedule, "skipped").map((id) => ({ id, because }));
    payloads.push(...this.#skipped(unstarted));
    if (mode === "stop") payloads.push(...this.#stopRunning(`${step.id} failed`));
    return payloads;
  }

  /** Skips steps before anything starts, with everything that depends on them. */
  skipExcluded(ids: ReadonlySet<string>): EventPayload[] {
    const skipped: Dropped[] = [];
    for (const { step } of this.context.plan.steps) {
      if (!ids.has(step.id)) continue;
      if (!isOpen(this.#schedule, step.id)) continue;
      skipped.push({ id: step.id, because: "skipped with --skip" }, ...finishStep(this.#schedule, step.id, "skipped"));
    }
    return this.#skipped(skipped);
  }

  /** Skips optional steps that have not started, with everything that depends on them: most of the run's budget is used. */
  skipOptional(): EventPayload[] {
    const skipped: Dropped[] = [];
    for (const { step } of this.context.plan.steps) {
      if (!step.optional || !isUnstarted(this.#schedule, step.id)) continue;
      const because = "it is optional, and most of the run's budget is used";
      skipped.push({ id: step.id, because }, ...finishStep(this.#schedule, step.id, "skipped"));
    }
    return this.#skipped(skipped);
  }

  /** A step was stopped. `attempt` is undefined if none had started. */
  endCancelled(step: Step, attempt?: number): EventPayload[] {
    const dropped = finishStep(this.#schedule, step.id, "cancelled");
    return [cancelled(step.id, this.#stopReason(), attempt), ...this.#skipped(dropped)];
  }

  /** Cancels the run: steps without a slot end now, running steps are stopped and end by themselves. */
  cancel(by: string): EventPayload[] {
    if (this.#schedule.open === 0) return [];
    this.#cancelledBy = by;
    const unstarted = dropUnstarted(this.#schedule, "cancelled").filter((id) => !this.#restorable.has(id));
    return [...unstarted.map((id) => cancelled(id, this.#stopReason())), ...this.#stopRunning(by)];
  }

  /** The run's budget is spent: skips what has not started and stops what runs. */
  stopForBudget(why: string): EventPayload[] {
    const unstarted = dropUnstarted(this.#schedule, "skipped").map((id) => ({ id, because: why }));
    return [...this.#skipped(unstarted), ...this.#stopRunning(why)];
  }

  #stopRunning(why: string): EventPayload[] {
    this.stop(why);
    return dropPaused(this.#schedule).map((id) => cancelled(id, this.#stopReason()));
  }

  #stopReason(): string {
    return this.#cancelledBy === undefined
      ? `stopped because ${String(this.#stop.signal.reason)}`
      : `the run was cancelled by ${this.#cancelledBy}`;
  }

  /** A step that passed before the run was resumed stays passed in its record, even if it was never reached. */
  #skipped(dropped: readonly Dropped[]): EventPayload[] {
    const steps = dropped.filter(({ id }) => !this.#restorable.has(id));
    return steps.map(({ id, because }) => ({ type: "step-finished", step: id, status: "skipped", because }));
  }
}

function cancelled(step: string, because: string, attempt?: number): EventPayload {
  return { type: "step-finished", step, status: "cancelled", because, ...defined({ attempt }) };
}
