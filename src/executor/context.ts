/**
 * What `execute/` needs from outside: the plan, the ports, and the other stages' functions, which the spine injects as
 * plain functions so that stages do not import each other. Types only.
 */

import type { MergeFiles } from "../changeset/merge-states.ts";
import type { Changeset } from "../core/changeset.ts";
import type { Digest } from "../core/digest.ts";
import type { ArtifactRef, ChangesRef, EventPayload, FingerprintRef, RunOptions, WaveEvent } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { Feedback } from "../core/feedback.ts";
import type { Step } from "../core/pipeline.ts";
import type { Plan } from "../core/plan.ts";
import type {
  Adapter,
  BlobStore,
  Clock,
  ContractFile,
  ContractType,
  Journal,
  OutputLog,
  StateStore,
  TrustedFiles,
  Workspace,
  WorkspacePaths,
  WorkspaceProvider,
} from "../core/ports.ts";
import type { Result } from "../core/result.ts";
import type { CachedResult, StepRecord } from "../core/state.ts";

/** Everything that executing a plan takes. */
export interface ExecuteContext {
  /** What to run: steps with their weights. The graph has no cycle. */
  readonly plan: Plan;
  /** The run's id. */
  readonly run: string;
  /** Where events are written. The spine has appended `run-started` or `run-resumed`; `execute/` appends all the others, and does not close it. */
  readonly journal: Journal;
  /** Fans events out to reporters. Called only once they are on disk, in the order they were appended; must not throw. */
  readonly publish: (events: readonly WaveEvent[]) => void;
  /** Asked only for steps whose contracts have a circuit breaker. */
  readonly state: Pick<StateStore, "breakerWindow">;
  /** Artifacts of passed steps. */
  readonly blobs: BlobStore;
  readonly workspaces: WorkspaceProvider;
  /** Adapter name → adapter. A step whose adapter is not there fails with `adapter-missing`. */
  readonly adapters: ReadonlyMap<string, Adapter>;
  /** Contract type → its evaluation. */
  readonly contractTypes: ReadonlyMap<string, ContractType>;
  /** What contracts are judged by, by path, as it was when the run began. */
  readonly files: ReadonlyMap<string, ContractFile>;
  /** Where protected files are restored from. Undefined if it is not known. */
  readonly trustedFiles?: TrustedFiles | undefined;
  readonly clock: Clock;
  /** From 0 up to 1: the jitter of waits. */
  readonly random: () => number;
  /** Cancels the run. Its `reason` is the name of who did it, such as `SIGINT`. */
  readonly signal: AbortSignal;
  readonly options: ExecuteOptions;
  /**
   * By step id, when a run is resumed: what this run already has. Passed steps whose blobs verify are taken as passed, with
   * no event; numbers of attempts go on above those that are here. A step that must run again although it passed has
   * another status.
   */
  readonly prior: ReadonlyMap<string, StepRecord>;
  /** What steps change: kept, merged and applied. */
  readonly changes: ChangesPort;
  /**
   * The fingerprint of a step that is ready, from the digests of the inputs that are there, by the name the step sees, and from
   * what stands for the changes that it builds on.
   */
  readonly fingerprintOf: (step: Step, inputs: Readonly<Record<string, Digest>>, changes: Digest | undefined) => FingerprintRef;
  /** Finds equal work of earlier runs. Absent, or `new`, where reuse is off. */
  readonly matchWork?: (step: Step, fingerprint: FingerprintRef) => StepMatch;
  /**
   * Whether work that was found may still stand for this run's: false once steps of this run have changed the project in
   * place, since fingerprints are taken over the project as it was. Absent: always.
   */
  readonly stillHolds?: () => Promise<boolean>;
  /** Values of the secrets that a step declares, by variable. */
  readonly secretsOf: (step: Step) => Readonly<Record<string, string>>;
  /** What an attempt's child is handed besides, and what its fingerprint does not depend on. Absent: nothing. */
  readonly handedTo?: (step: Step, attempt: number) => Readonly<Record<string, string>>;
  readonly assemblePrompt: (parts: PromptParts) => string;
  /** Opens the log that an attempt's output goes to. */
  readonly openLog: (step: Step, attempt: number) => AttemptLog;
  /** Keeps a closed log as a blob; nothing where it is not kept. Absent: logs stay the files they are. */
  readonly storeLog?: (path: string) => Promise<Result<Digest | undefined>>;
  /** Takes a step's artifacts out of its workspace, into blobs. */
  readonly collect: (request: CollectRequest) => Promise<Result<readonly ArtifactRef[]>>;
  /** Publishes what the pipeline says, once all steps have passed. Gives what events say of it, and why the run fails all the same. */
  readonly publishAll?: (
    artifacts: ReadonlyMap<string, readonly ArtifactRef[]>,
  ) => Promise<{ readonly events: readonly EventPayload[]; readonly failure?: Failure }>;
  /** The project before the first attempt of this process. Undefined if a change to it during the run cannot be noticed. */
  readonly project?: ProjectBefore;
  /** Looks at the project. Undefined if it cannot be compared with the base of the run. */
  readonly projectNow: () => Promise<ProjectNow | undefined>;
  /** The run's input text. */
  readonly runInput?: string;
}

/** The project while a run works on it, or after. */
export interface ProjectNow {
  readonly tree: Digest;
  /** Whether ignored files that the steps or their contracts may read differ from those of the base. */
  readonly ignoredChanged: boolean;
}

/** What the project was before the first attempt. */
export interface ProjectBefore {
  readonly tree: Digest;
  /** It already differed from the base over which fingerprints are taken. */
  readonly drifted: boolean;
}

export interface ExecuteOptions {
  /** Steps that may run at once, at least 1. */
  readonly concurrency: number;
  readonly onFailure: RunOptions["onFailure"];
  /** Whether the project gets the changes of a run that passed. */
  readonly apply: boolean;
  /** The steps that this process was asked for, where that is a part of the pipeline; the plan then has what they need besides. Absent: all. */
  readonly part?: readonly string[];
  /** Steps that are not begun; they end as `skipped`. Absent: none. */
  readonly leaveOut?: ReadonlySet<string>;
  /** The definition is not the one that prior steps ran under: a passed step stands only where its fingerprint is the same. */
  readonly redefined?: boolean;
  /** Forget the circuit breakers' windows before anything starts. */
  readonly resetCircuit: boolean;
}

/** Where changesets are kept, and how they meet the project. */
export interface ChangesPort {
  /** What leads from the project as it is to the base of the run: not empty where an earlier run's changes lie over that base. */
  readonly rollback: Changeset;
  /** Those changes are of this run itself, so that its own, when they are nothing, take them out of the project too. Absent: of another. */
  readonly rollsBackOwn?: boolean;
  /** A changeset that was kept. Fails with `state-damaged` where its blob is gone or holds something else. */
  read(digest: Digest): Promise<Result<Changeset>>;
  keep(changes: Changeset): Promise<Result<ChangesRef>>;
  readonly mergeFiles: MergeFiles;
  /** Whether every state before the changes is the project's state now. */
  holds(changes: Changeset): Promise<boolean>;
  /** Whether the bytes of all states after the changes are there. */
  intact(changes: Changeset): Promise<boolean>;
  /** Changes the project. Fails with `project-changed` where files are in the way, and then changes nothing. */
  apply(changes: Changeset): Promise<Result<void>>;
}

/** How a run ended. */
export interface RunOutcome {
  readonly status: "passed" | "failed" | "cancelled";
  /** `run-failed` or `cancelled`; nothing when it passed. */
  readonly failure?: Failure;
  /** Time that this process spent on it. */
  readonly durationMs: number;
}

/** Work that is taken over: where it was done, and what it left. */
export type CachedOutput = Pick<CachedResult, "run" | "attempt" | "artifacts" | "changes">;

/** Whether equal work passed before: taken as it is (`equal`), or only judged again (`recheck`). */
export type StepMatch = { readonly kind: "equal" | "recheck"; readonly found: CachedOutput } | { readonly kind: "new" };

/** An attempt's output, until `close` gives the file it is in; `size` in bytes. */
export interface AttemptLog extends OutputLog {
  close(): Promise<Result<{ readonly path: string; readonly size: number }>>;
}

/** An input as the prompt lists it. `path` is absolute, as the child sees it. */
export interface PromptInput {
  readonly name: string;
  readonly path: string;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  readonly digest: Digest;
  /** The step that made it. */
  readonly from: string;
  /** All of it, where it is short. */
  readonly text?: string;
}

export interface PromptParts {
  readonly step: Step;
  readonly run: string;
  readonly attempt: number;
  readonly paths: WorkspacePaths;
  readonly inputs: readonly PromptInput[];
  readonly runInput?: string;
  readonly feedback?: Feedback;
  readonly files: ReadonlyMap<string, ContractFile>;
}

export interface CollectRequest {
  readonly step: Step;
  readonly workspace: Workspace;
  readonly finalMessage?: string;
  /** What the step was told: an echo of it is no artifact. */
  readonly prompt: string;
}
