/** The records of runs that `store/` folds from events. Commands and the planner read them. */
import type { AlertRecord } from "./alert.ts";
import type { Digest } from "./digest.ts";
import type { ArtifactRef, BaseRef, ChangesRef, FingerprintRef, RunOptions } from "./event.ts";
import type { ContractResult, Failure } from "./failure.ts";
import type { Usage } from "./usage.ts";

/** `pending`: parts of it passed, and no process executes the rest. */
export type RunStatus = "pending" | "running" | "passed" | "failed" | "cancelled" | "interrupted";
export type StepStatus = "pending" | "running" | "passed" | "failed" | "skipped" | "cancelled";
export type AttemptStatus = "running" | "passed" | "failed" | "cancelled" | "interrupted";

export interface RunSummary {
  readonly id: string;
  readonly pipeline: string;
  readonly version?: string;
  readonly status: RunStatus;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly durationMs?: number;
  readonly steps: Readonly<Record<StepStatus, number>>;
  /** Its journals are gone; only the database's records remain. */
  readonly archived: boolean;
  /** It passed, and the project no longer has its changes. */
  readonly rolledBack?: true;
  /** A rollback that is not complete: a process executes it, or it was interrupted. */
  readonly rollback?: "running" | "interrupted";
}

export interface RunRecord {
  readonly id: string;
  readonly pipeline: string;
  readonly version?: string;
  readonly status: RunStatus;
  readonly startedAt: string;
  readonly finishedAt?: string;
  /** Time that processes spent on it, including all resumes. */
  readonly durationMs?: number;
  readonly manifest: Digest;
  readonly options: RunOptions;
  readonly base: BaseRef;
  /** The project's tree when the run ended. */
  readonly treeAfter?: Digest;
  /** The changes of all its steps together, once all had passed. `applied`: the project has them. */
  readonly changes?: ChangesRef;
  readonly applied: boolean;
  /**
   * The changes of this run that the project has. Differs from `changes` after a rollback, and until a resumed run has
   * finished.
   */
  readonly inProject?: ChangesRef;
  /** An unfinished rollback, to step `to` or of the whole run. `running`: a process executes it. */
  readonly openRollback?: { readonly to?: string; readonly running?: true };
  readonly failure?: Failure;
  /** Alerts that were sent or given up; undefined if there are none. */
  readonly alerts?: readonly AlertRecord[];
  /** In the order of the manifest. */
  readonly steps: readonly StepRecord[];
  /** The process that writes it now or wrote it last. */
  readonly writer: { readonly pid: number; readonly processStart: string; readonly host: string };
  /** Its journals are gone; only the database's records remain. */
  readonly archived?: true;
}

export interface StepRecord {
  readonly id: string;
  readonly persona: string;
  readonly dependencies: readonly string[];
  readonly optional: boolean;
  readonly status: StepStatus;
  readonly reusedFrom?: { readonly run: string; readonly attempt: number };
  /** Of the passed attempt, or of the reused result. */
  readonly fingerprint?: FingerprintRef;
  readonly artifacts: readonly ArtifactRef[];
  /** The changes of the passed attempt, or of the reused result. */
  readonly changes?: ChangesRef;
  readonly failure?: Failure;
  readonly because?: string;
  readonly attempts: readonly AttemptRecord[];
}

export interface AttemptRecord {
  readonly attempt: number;
  readonly status: AttemptStatus;
  readonly adapter: string;
  readonly model?: string;
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly durationMs?: number;
  /** Its use of a model, if its adapter reports it. */
  readonly usage?: Usage;
  /**
   * Milliseconds that it waited although it was ready, without a retry's delay. Undefined if the journals are gone and
   * were read by an older version.
   */
  readonly waitMs?: number;
  readonly fingerprint: FingerprintRef;
  readonly inputs: readonly { readonly name: string; readonly digest: Digest; readonly from: string }[];
  readonly workspace: "isolated" | "shared";
  readonly artifacts: readonly ArtifactRef[];
  readonly changes?: ChangesRef;
  readonly contracts: readonly ContractResult[];
  readonly failure?: Failure;
  readonly log?: Digest;
  /** It was rolled back, or its step was reopened, so its result no longer counts. */
  readonly rolledBack?: true;
}

/** A passed result that a plan may reuse. */
export interface CachedResult {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  readonly fingerprint: FingerprintRef;
  readonly artifacts: readonly ArtifactRef[];
  readonly finishedAt: string;
  readonly changes?: ChangesRef;
  readonly workspace: "isolated" | "shared";
  /**
   * The project's tree when its run started and ended. Another run can reuse the result of a shared workspace only if
   * its run left the tree unchanged, or the project still has the tree that the run left.
   */
  readonly treeBefore: Digest;
  readonly treeAfter?: Digest;
}

/** One counted attempt in a circuit breaker's window. */
export interface BreakerSample {
  readonly failed: boolean;
  readonly at: string;
}
