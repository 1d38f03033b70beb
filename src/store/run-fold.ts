/**
 * The state of one run folded from its events. Each reading decides which of its processes are alive
 * (`project-run.ts`), so that a stored fold cannot become stale.
 */
import type { EventOf } from "../core/event.ts";
import type { AttemptRecord, RunRecord, StepRecord } from "../core/state.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";

/** A process that wrote events of the run. */
export interface WriterFold extends ProcessIdentity {
  readonly writer: string;
  /** It wrote `writer-closed`. */
  readonly closed: boolean;
  /** How long it worked, in milliseconds: as recorded at the run's end, else from its first event to its last. */
  readonly spentMs: number;
}

/** `running`: it started, and no event records its end. */
export interface AttemptFold extends AttemptRecord {
  readonly writer: string;
}

/** The result of another run's attempt that a step reused. */
export interface ReusedFold extends Pick<AttemptRecord, "fingerprint" | "artifacts" | "changes"> {
  readonly from: { readonly run: string; readonly attempt: number };
}

/** A passed step has the result of its winner, or `reused`. */
export interface StepFold extends Omit<StepRecord, "attempts" | "reusedFrom" | "fingerprint" | "artifacts" | "changes"> {
  /** The process that executes it while it is `running`. */
  readonly writer?: string;
  /** Index of the attempt that made it pass; undefined if it did not pass or was reused. */
  readonly winner?: number;
  readonly reused?: ReusedFold;
  readonly attempts: readonly AttemptFold[];
}

/** A verdict in a circuit breaker's window. Contracts that could not be evaluated do not count. */
export interface SampleFold {
  readonly breaker: string;
  readonly failed: boolean;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly clock: number;
}

export interface ResetFold {
  readonly breaker: string;
  readonly at: string;
  readonly clock: number;
}

/** A result of another run that this run had reused and then rolled back. */
export interface RevokedFold {
  readonly step: string;
  readonly run: string;
  readonly attempt: number;
}

export interface RunFold extends Omit<RunRecord, "status" | "durationMs" | "writer" | "steps" | "archived"> {
  /** The last recorded end; undefined while it runs or if its processes died. `pending`: a part ended, and steps remain. */
  readonly outcome?: EventOf<"run-finished">["status"] | "pending";
  /** In the order in which they opened their journals. */
  readonly writers: readonly WriterFold[];
  readonly steps: readonly StepFold[];
  readonly samples: readonly SampleFold[];
  readonly resets: readonly ResetFold[];
  readonly revoked: readonly RevokedFold[];
}
