/**
 * What a trace tells: when the steps, attempts and contract checks of one run began and ended, what they waited for, and which chain of
 * steps the run's length comes from. Offsets are milliseconds since the run's first event; every node lies within the one above it.
 */
import type { ChangesRef } from "../../core/event.ts";
import type { ContractResult } from "../../core/failure.ts";
import type { AttemptStatus, RunStatus, StepStatus } from "../../core/state.ts";
import type { Usage } from "../../core/usage.ts";

/** From when to when. `startMs` is never negative, and `endMs` never before it. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** A contract's check. The journal says how long it took; it is placed at the end of its attempt, after the checks before it. */
export interface TraceCheck extends Span {
  readonly name: string;
  readonly type: string;
  readonly verdict: ContractResult["verdict"];
  readonly durationMs: number;
}

/** The attempt whose work was taken over. */
export interface WorkOrigin {
  readonly run: string;
  readonly attempt: number;
}

export interface TraceAttempt extends Span {
  readonly attempt: number;
  readonly status: AttemptStatus;
  readonly adapter: string;
  readonly model?: string;
  /** As it was measured; of one that has no end, until now or until its process was last heard of. */
  readonly durationMs: number;
  /** How long it could have run before it began. */
  readonly waitMs: number;
  /** What it waited for last: the process that runs it, the step that came before, or the retry's delay. */
  readonly waitedFor: "start" | "dependency" | "retry";
  /** The step that it waited for last. */
  readonly after?: string;
  /** The part of `waitMs` that a retry asked for. */
  readonly delayMs?: number;
  /** Whose stored work was judged again; the persona did not run. */
  readonly rechecked?: WorkOrigin;
  /** What it did counts no more. */
  readonly rolledBack?: true;
  readonly failure?: string;
  readonly usage?: Usage;
  readonly artifacts: number;
  readonly changes?: ChangesRef;
  readonly checks: readonly TraceCheck[];
  /** The process that ran it. */
  readonly writer: string;
}

/** A step; without a span when nothing of it ever began. */
export interface TraceStep extends Partial<Span> {
  readonly id: string;
  readonly persona: string;
  readonly status: StepStatus;
  /** What was directly upstream of it. */
  readonly dependencies: readonly string[];
  /** Its attempts' durations together. */
  readonly workedMs: number;
  /** Its attempts' waits together. */
  readonly waitMs: number;
  readonly critical: boolean;
  readonly reusedFrom?: WorkOrigin;
  readonly because?: string;
  readonly artifacts: number;
  readonly changes?: ChangesRef;
  readonly attempts: readonly TraceAttempt[];
}

/** A process that worked on the run. */
export interface TraceProcess extends Span {
  readonly writer: string;
  readonly pid: number;
  readonly host: string;
  readonly wave: string;
  /** What it did with the run; `wrote`: something besides, or nothing before it died. */
  readonly role: "began" | "resumed" | "rolled back" | "wrote";
  /** It said that it ends; a process that was killed did not. */
  readonly closed: boolean;
}

export interface Trace extends Span {
  readonly run: string;
  readonly pipeline: string;
  readonly version?: string;
  readonly status: RunStatus;
  /** ISO 8601, UTC: what offsets count from. */
  readonly startedAt: string;
  /** The chain of steps that took longest, attempts and retries' delays together. */
  readonly criticalPath: { readonly steps: readonly string[]; readonly durationMs: number };
  readonly processes: readonly TraceProcess[];
  /** In the order of the manifest. */
  readonly steps: readonly TraceStep[];
}
