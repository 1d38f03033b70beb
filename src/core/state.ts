/**
 * What state tells: the rows that are projected from events. `state/` folds events into them; commands and the plan read them.
 */
import type { AlertRecord } from "./alert.ts";
import type { Digest } from "./digest.ts";
import type { ArtifactRef, BaseRef, ChangesRef, FingerprintRef, RunOptions } from "./event.ts";
import type { ContractResult, Failure } from "./failure.ts";
import type { Usage } from "./usage.ts";

/** `pending`: parts of it passed, and nobody works on the rest. */
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
  /** Its journal is gone; the rows are what is left. */
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
  /** Time that processes spent on it, all resumes together. */
  readonly durationMs?: number;
  readonly manifest: Digest;
  readonly options: RunOptions;
  readonly base: BaseRef;
  /** The project's tree when the run ended. */
  readonly treeAfter?: Digest;
  /** What its steps changed together, once all had passed; `applied`: the project has it. */
  readonly changes?: ChangesRef;
  readonly applied: boolean;
  /** What the project has of this run; differs from `changes` after a rollback, and while a resumed run has not come to its end. */
  readonly inProject?: ChangesRef;
  /** A rollback that is not complete, to step `to` or of the whole run; `running`: a process executes it. */
  readonly openRollback?: { readonly to?: string; readonly running?: true };
  readonly failure?: Failure;
  /** Alerts that were sent or given up; absent: none. */
  readonly alerts?: readonly AlertRecord[];
  /** In the order of the manifest. */
  readonly steps: readonly StepRecord[];
  /** The process that writes it now or wrote it last. */
  readonly writer: { readonly pid: number; readonly processStart: string; readonly host: string };
  /** Its journals are gone; the rows are what is left. */
  readonly archived?: true;
}

export interface StepRecord {
  readonly id: string;
  readonly persona: string;
  readonly dependencies: readonly string[];
  readonly optional: boolean;
  readonly status: StepStatus;
  readonly reusedFrom?: { readonly run: string; readonly attempt: number };
  /** Of the passed attempt, or of the reused work. */
  readonly fingerprint?: FingerprintRef;
  readonly artifacts: readonly ArtifactRef[];
  /** What the passed attempt, or the reused work, changed. */
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
  /** What it asked of a model, where its adapter tells. */
  readonly usage?: Usage;
  /** Milliseconds for which it could have run before it began, without a retry's delay. Absent where the journals are gone and an older wave read them. */
  readonly waitMs?: number;
  readonly fingerprint: FingerprintRef;
  readonly inputs: readonly { readonly name: string; readonly digest: Digest; readonly from: string }[];
  readonly workspace: "isolated" | "shared";
  readonly artifacts: readonly ArtifactRef[];
  readonly changes?: ChangesRef;
  readonly contracts: readonly ContractResult[];
  readonly failure?: Failure;
  readonly log?: Digest;
  /** It was rolled back, or its step had to run again: what it did counts no more. */
  readonly rolledBack?: true;
}

/** Passed work that a plan may reuse. */
export interface CachedResult {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  readonly fingerprint: FingerprintRef;
  readonly artifacts: readonly ArtifactRef[];
  readonly finishedAt: string;
  readonly changes?: ChangesRef;
  readonly workspace: "isolated" | "shared";
  /** The project's tree when its run began and ended. Work done in place counts elsewhere only if its run left the tree as it was, or the project is as the run left it. */
  readonly treeBefore: Digest;
  readonly treeAfter?: Digest;
}

/** One counted attempt in a circuit breaker's window. */
export interface BreakerSample {
  readonly failed: boolean;
  readonly at: string;
}
