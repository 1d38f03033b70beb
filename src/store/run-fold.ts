/**
 * What the events of one run add up to, before anybody asks which processes still live: that is decided anew at each reading
 * (`project-run.ts`), so that a stored fold cannot grow stale.
 */
import type { EventOf } from "../core/event.ts";
import type { AttemptRecord, RunRecord, StepRecord } from "../core/state.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";

/** A process that wrote events of the run. */
export interface WriterFold extends ProcessIdentity {
  readonly writer: string;
  /** It said that it writes no more. */
  readonly closed: boolean;
  /** How long it worked, in milliseconds: what it said at the run's end, else from its first event to its last. */
  readonly spentMs: number;
}

/** `running`: it started, and no event says how it ended. */
export interface AttemptFold extends AttemptRecord {
  readonly writer: string;
}

/** The result of another run's attempt that a step took over. */
export interface ReusedFold extends Pick<AttemptRecord, "fingerprint" | "artifacts" | "changes"> {
  readonly from: { readonly run: string; readonly attempt: number };
}

/** The result of a passed step is that of its winner, or `reused`. */
export interface StepFold extends Omit<StepRecord, "attempts" | "reusedFrom" | "fingerprint" | "artifacts" | "changes"> {
  /** Who works on it while it is `running`. */
  readonly writer?: string;
  /** Index of the attempt that made it pass; undefined if it did not pass or was reused. */
  readonly winner?: number;
  readonly reused?: ReusedFold;
  readonly attempts: readonly AttemptFold[];
}

/** A verdict that counts in a circuit breaker's window. Attempts whose contract could not be evaluated do not. */
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

/** Work of another run that this one had reused, and that was rolled back here. */
export interface RevokedFold {
  readonly step: string;
  readonly run: string;
  readonly attempt: number;
}

export interface RunFold extends Omit<RunRecord, "status" | "durationMs" | "writer" | "steps" | "archived"> {
  /** How it ended last; nothing while it goes on, or after its processes died. `pending`: a part of it ended, and there is more. */
  readonly outcome?: EventOf<"run-finished">["status"] | "pending";
  /** In the order in which they opened their journals. */
  readonly writers: readonly WriterFold[];
  readonly steps: readonly StepFold[];
  readonly samples: readonly SampleFold[];
  readonly resets: readonly ResetFold[];
  readonly revoked: readonly RevokedFold[];
}
