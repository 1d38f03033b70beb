/** The input of the executor: the plan, the ports, and functions of modules that the executor does not import. Types only. */
import type { MergeFiles } from "../changeset/merge-states.ts";
import type { AttemptLog, CollectRequest } from "../core/attempt-output.ts";
import type { Changeset } from "../core/changeset.ts";
import type { Digest } from "../core/digest.ts";
import type { ArtifactRef, ChangesRef, EventPayload, FingerprintRef, RunOptions, WaveEvent } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { Feedback } from "../core/feedback.ts";
import type { Step } from "../core/pipeline.ts";
import type { Plan } from "../core/plan.ts";
import type {
  Adapter,
  AttemptUsage,
  BlobStore,
  Clock,
  ContractFile,
  ContractType,
  Journal,
  StateStore,
  TrustedFiles,
  WorkspacePaths,
  WorkspaceProvider,
} from "../core/ports.ts";
import type { Result } from "../core/result.ts";
import type { CachedResult, StepRecord } from "../core/state.ts";

/** Everything that `executePlan` takes. */
export interface ExecuteContext {
  /** The steps to execute, with their weights. The graph has no cycle. */
  readonly plan: Plan;
  readonly run: RunInputs;
  readonly services: ExecutionServices;
  readonly hooks: RunHooks;
  readonly attempts: AttemptHooks;
}

/** The run that is executed. */
export interface RunInputs {
  readonly runId: string;
  readonly options: ExecuteOptions;
  /**
   * The steps of a resumed run, by id. Passed steps whose blobs verify are taken as passed, without an event. Attempt numbers continue
   * above those in here. A passed step that must run again has another status.
   */
  readonly prior: ReadonlyMap<string, StepRecord>;
  /** The files that contracts name, by path, read when the run started. */
  readonly contractFiles: ReadonlyMap<string, ContractFile>;
  /** The project before the first attempt of this process. Undefined if a change to it during the run cannot be detected. */
  readonly projectBefore?: ProjectBefore;
  /** The run's input text. */
  readonly input?: string;
  /** Cancels the run. Its `reason` names the origin, such as `SIGINT`. */
  readonly signal: AbortSignal;
}

/** The ports of an execution. */
export interface ExecutionServices {
  /** The caller has appended `run-started` or `run-resumed`; the executor appends all other events and does not close the journal. */
  readonly journal: Journal;
  /** Queried only for steps whose contracts have a circuit breaker. */
  readonly state: Pick<StateStore, "breakerWindow">;
  readonly blobs: BlobStore;
  readonly workspaces: WorkspaceProvider;
  /** By name. A step whose adapter is missing fails with `adapter-missing`. */
  readonly adapters: ReadonlyMap<string, Adapter>;
  /** By name. */
  readonly contractTypes: ReadonlyMap<string, ContractType>;
  /** Stores, merges and applies the changes of steps. */
  readonly changes: ChangesPort;
  /** Where protected files are restored from. Undefined if that is unknown. */
  readonly trustedFiles?: TrustedFiles | undefined;
  readonly clock: Clock;
  /** Returns a number from 0 up to 1, for jitter. */
  readonly random: () => number;
}

/** Called for the run and its steps. */
export interface RunHooks {
  /** Called with events once they are on disk, in the order in which they were appended. Must not throw. */
  readonly notifyReporters: (events: readonly WaveEvent[]) => void;
  /** Called with the usage of a running attempt. Must not throw. */
  readonly onUsage?: (used: AttemptUsage) => void;
  /** The fingerprint of a step that is ready. `inputs`: digests by the name that the step sees; `changes`: the digest of the upstream changes. */
  readonly fingerprintOf: (step: Step, inputs: Readonly<Record<string, Digest>>, changes: Digest | undefined) => FingerprintRef;
  /** Looks up a result of an earlier run with the same fingerprint. Undefined, or `new`, if reuse is off. */
  readonly findCachedResult?: (step: Step, fingerprint: FingerprintRef) => CacheLookup;
  /**
   * False once steps of this run have changed the project in place: cached results no longer apply then, because fingerprints are
   * computed over the unchanged project. Defaults to always true.
   */
  readonly projectUnchanged?: () => Promise<boolean>;
  /** Reads the project. Undefined if it cannot be compared with the base of the run. */
  readonly projectNow: () => Promise<ProjectNow | undefined>;
  /** Publishes the pipeline's publications after all steps have passed. Returns the events, and why the run fails if it does. */
  readonly publishArtifacts?: (
    artifacts: ReadonlyMap<string, readonly ArtifactRef[]>,
  ) => Promise<{ readonly events: readonly EventPayload[]; readonly failure?: Failure }>;
}

/** Called for each attempt. */
export interface AttemptHooks {
  /** Values of the secrets that a step declares, by variable. */
  readonly secretsOf: (step: Step) => Readonly<Record<string, string>>;
  /** Variables that pass the trace on to an attempt's child. Not part of the fingerprint. */
  readonly traceEnv?: (step: Step, attempt: number) => Readonly<Record<string, string>>;
  readonly assemblePrompt: (parts: PromptParts) => string;
  readonly openLog: (step: Step, attempt: number) => AttemptLog;
  /** Moves a closed log into a blob. Undefined: logs stay files. Returns `undefined` if there is nothing to store. */
  readonly storeLog?: (path: string) => Promise<Result<Digest | undefined>>;
  /** Stores a step's artifacts as blobs. */
  readonly collect: (request: CollectRequest) => Promise<Result<readonly ArtifactRef[]>>;
}

/** The project while a run works on it, or after. */
export interface ProjectNow {
  readonly tree: Digest;
  /** Whether ignored files that the steps or their contracts may read differ from those of the base. */
  readonly ignoredChanged: boolean;
}

/** The project before the first attempt. */
export interface ProjectBefore {
  readonly tree: Digest;
  /** Whether it already differed from the base that fingerprints are computed over. */
  readonly drifted: boolean;
}

export interface ExecuteOptions {
  /** How many steps may run at once, at least 1. */
  readonly concurrency: number;
  readonly onFailure: RunOptions["onFailure"];
  /** Whether the changes of a passed run are applied to the project. */
  readonly apply: boolean;
  /** The steps selected with `--steps`; the plan also contains what they depend on. Undefined: all. */
  readonly selectedSteps?: readonly string[];
  /** Steps that end as `skipped` without starting. Defaults to none. */
  readonly excludedSteps?: ReadonlySet<string>;
  /** Whether prior steps ran under another definition: a passed step is kept only if its fingerprint is the same. */
  readonly redefined?: boolean;
  /** Clears the windows of the circuit breakers before anything starts. */
  readonly resetCircuit: boolean;
}

/** Stores changesets and applies them to the project. */
export interface ChangesPort {
  /** Leads from the current project to the base of the run: not empty if changes of an earlier run are applied over that base. */
  readonly rollback: Changeset;
  /** Whether `rollback` reverts changes of this very run; then they are reverted even when the run now changes nothing. Defaults to false. */
  readonly rollsBackOwn?: boolean;
  /** Reads a stored changeset. Fails with `state-damaged` if its blob is missing or damaged. */
  read(digest: Digest): Promise<Result<Changeset>>;
  keep(changes: Changeset): Promise<Result<ChangesRef>>;
  readonly mergeFiles: MergeFiles;
  /** Whether the project's files are in the states before the changes. */
  matchesDisk(changes: Changeset): Promise<boolean>;
  /** Whether the blobs of all states after the changes exist. */
  hasAllBlobs(changes: Changeset): Promise<boolean>;
  /** Changes the project. Fails with `project-changed`, without writing, if files are not in the states before the changes. */
  apply(changes: Changeset): Promise<Result<void>>;
}

/** How a run ended. */
export interface RunOutcome {
  readonly status: "passed" | "failed" | "cancelled";
  /** Undefined if the run passed. */
  readonly failure?: Failure;
  /** The time that this process spent. */
  readonly durationMs: number;
}

/** The output of a step in an earlier run. */
export type CachedOutput = Pick<CachedResult, "run" | "attempt" | "artifacts" | "changes">;

/** A cached result: reused unchanged (`equal`), or only its contracts are evaluated again (`recheck`). */
export interface CacheMatch {
  readonly kind: "equal" | "recheck";
  readonly cached: CachedOutput;
}

export type CacheLookup = CacheMatch | { readonly kind: "new" };

/** An input as the prompt lists it. `path` is absolute, as the child sees it. */
export interface PromptInput {
  readonly name: string;
  readonly path: string;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  readonly digest: Digest;
  /** The step that produced it. */
  readonly from: string;
  /** The whole text, if it is short. */
  readonly text?: string;
}

export interface PromptParts {
  readonly step: Step;
  readonly runId: string;
  readonly attempt: number;
  readonly paths: WorkspacePaths;
  readonly inputs: readonly PromptInput[];
  readonly runInput?: string;
  readonly feedback?: Feedback;
  readonly files: ReadonlyMap<string, ContractFile>;
}
