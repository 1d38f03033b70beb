/**
 * The trace of a run: start, end and waits of its steps, attempts and contract checks, and the critical path. Offsets are milliseconds since the
 * run's first event. Each span is inside that of its parent.
 */
import type { ChangesRef } from "../../core/event.ts";
import type { ContractResult } from "../../core/failure.ts";
import type { AttemptStatus, RunStatus, StepStatus } from "../../core/state.ts";
import type { Usage } from "../../core/usage.ts";

/** `startMs` is not negative, and not greater than `endMs`. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** A contract check. The journal contains only its duration, so checks are placed one after another at the end of the attempt. */
export interface TraceCheck extends Span {
  readonly name: string;
  readonly type: string;
  readonly verdict: ContractResult["verdict"];
  readonly durationMs: number;
}

/** The attempt whose result was reused. */
export interface WorkOrigin {
  readonly run: string;
  readonly attempt: number;
}

export interface TraceAttempt extends Span {
  readonly attempt: number;
  readonly status: AttemptStatus;
  readonly adapter: string;
  readonly model?: string;
  /** As measured. Without an end: until now, or until the last event of its process. */
  readonly durationMs: number;
  /** Time between being ready and starting. */
  readonly waitMs: number;
  /** The last thing it waited for: its process, a dependency, or the delay of a retry. */
  readonly waitedFor: "start" | "dependency" | "retry";
  /** The step that it waited for last. */
  readonly after?: string;
  /** The part of `waitMs` that is the delay of a retry. */
  readonly delayMs?: number;
  /** The attempt whose cached result was checked again. The persona did not run. */
  readonly rechecked?: WorkOrigin;
  /** It was rolled back. */
  readonly rolledBack?: true;
  readonly failure?: string;
  readonly usage?: Usage;
  readonly artifacts: number;
  readonly changes?: ChangesRef;
  readonly checks: readonly TraceCheck[];
  /** The process that executed it. */
  readonly writer: string;
}

/** A step. Without a span if it never started. */
export interface TraceStep extends Partial<Span> {
  readonly id: string;
  readonly persona: string;
  readonly status: StepStatus;
  /** Ids of the direct upstream steps. */
  readonly dependencies: readonly string[];
  /** The sum of its attempts' durations. */
  readonly workedMs: number;
  /** The sum of its attempts' waits. */
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
  /** `wrote`: it neither started, resumed nor rolled back the run. */
  readonly role: "began" | "resumed" | "rolled back" | "wrote";
  /** Whether it wrote its end. False for a killed process. */
  readonly closed: boolean;
}

export interface Trace extends Span {
  readonly run: string;
  readonly pipeline: string;
  readonly version?: string;
  readonly status: RunStatus;
  /** ISO 8601, UTC. The origin of offsets. */
  readonly startedAt: string;
  /** The chain of steps with the longest total of attempts and retry delays. */
  readonly criticalPath: { readonly steps: readonly string[]; readonly durationMs: number };
  readonly processes: readonly TraceProcess[];
  /** In the order of the manifest. */
  readonly steps: readonly TraceStep[];
}
