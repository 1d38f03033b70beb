/** Updates the draft of a step while events are folded. Drafts are mutable; the folds that `foldRun` returns are not. */

import type { AlertRecord } from "../core/alert.ts";
import { defined } from "../core/defined.ts";
import type { EventOf } from "../core/event.ts";
import type { ContractResult } from "../core/failure.ts";
import type { RunTimeline } from "../core/run-timeline.ts";
import type { StepStatus } from "../core/state.ts";
import type { AttemptFold, ResetFold, RevokedFold, RunFold, SampleFold, StepFold, WriterFold } from "./run-fold.ts";

type Draft<T> = { -readonly [K in keyof T]: T[K] };

export interface AttemptDraft extends Draft<Omit<AttemptFold, "contracts">> {
  contracts: ContractResult[];
}

export interface StepDraft extends Draft<Omit<StepFold, "attempts">> {
  attempts: AttemptDraft[];
}

export interface WriterDraft extends Draft<Omit<WriterFold, "spentMs">> {
  /** Milliseconds since the epoch. */
  firstAt: number;
  lastAt: number;
  finishedMs?: number;
}

export interface RunDraft extends Draft<Omit<RunFold, "writers" | "steps" | "samples" | "resets" | "revoked" | "alerts">> {
  alerts: AlertRecord[];
  writers: Map<string, WriterDraft>;
  steps: Map<string, StepDraft>;
  samples: SampleFold[];
  resets: ResetFold[];
  revoked: RevokedFold[];
  /** Step → results of other runs that it reused. */
  reuses: Map<string, RevokedFold[]>;
  /** Steps that the current definition no longer contains. */
  removed: Map<string, StepDraft>;
  timeline: RunTimeline;
}

/** Sets a step's status and clears the details of the one before. `writer` executes it while it is `running`. */
export function workOn(step: StepDraft, status: StepStatus, writer?: string): void {
  step.status = status;
  delete step.failure;
  delete step.because;
  delete step.writer;
  if (writer !== undefined) step.writer = writer;
}

/** Reopens a step: its earlier attempts no longer count, not even one that is still running. */
export function rollBackStep(step: StepDraft): void {
  workOn(step, "pending");
  delete step.winner;
  delete step.reused;
  for (const attempt of step.attempts) if (attempt.status === "passed" || attempt.status === "running") attempt.rolledBack = true;
}

/** A new attempt. */
export function attemptDraft(event: EventOf<"attempt-started">, waitMs: number): AttemptDraft {
  return {
    attempt: event.attempt,
    writer: event.writer,
    status: "running",
    adapter: event.adapter,
    ...defined({ model: event.model }),
    startedAt: event.ts,
    waitMs,
    fingerprint: event.fingerprint,
    inputs: event.inputs,
    workspace: event.workspace ?? "shared",
    artifacts: [],
    contracts: [],
  };
}

/** The attempt of an event, if it is still open: only its first end counts. */
export function openAttempt(step: StepDraft, event: { readonly attempt: number; readonly writer: string }): AttemptDraft | undefined {
  return step.attempts.find((one) => one.attempt === event.attempt && one.writer === event.writer && one.status === "running");
}

/**
 * Ends an attempt. The first passed one makes its step pass, even if no `step-finished` was written before its process
 * died.
 */
export function endAttempt(step: StepDraft, event: EventOf<"attempt-passed" | "attempt-failed" | "attempt-cancelled">): void {
  const attempt = openAttempt(step, event);
  if (attempt === undefined) return;
  attempt.status = event.type === "attempt-passed" ? "passed" : event.type === "attempt-failed" ? "failed" : "cancelled";
  attempt.finishedAt = event.ts;
  attempt.durationMs = event.durationMs;
  if (event.log !== undefined) attempt.log = event.log;
  if (event.usage !== undefined) attempt.usage = event.usage;
  if (event.type !== "attempt-cancelled") attempt.artifacts = event.artifacts;
  if (event.type === "attempt-passed" && event.changes !== undefined) attempt.changes = event.changes;
  if (event.type === "attempt-failed") attempt.failure = event.failure;
  if (step.status === "passed" || attempt.rolledBack) return;
  if (event.type === "attempt-passed") {
    workOn(step, "passed");
    step.winner = step.attempts.indexOf(attempt);
  } else if (event.type === "attempt-cancelled") {
    workOn(step, "cancelled");
  } else if (event.retry !== undefined) {
    workOn(step, "running", event.writer);
  } else {
    workOn(step, "failed");
    step.failure = event.failure;
  }
}
