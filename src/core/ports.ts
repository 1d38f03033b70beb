/** Interfaces to the outside and between stages. The engine injects implementations; those of one port share a conformance suite. */
import type { Changeset } from "./changeset.ts";
import type { Digest } from "./digest.ts";
import type { ArtifactRef, AttemptId, EventPayload, FingerprintRef, WaveEvent } from "./event.ts";
import type { ExceededLimit } from "./exceeded-limit.ts";
import type { Denial, Failure, Violation } from "./failure.ts";
import type { ContractDefinition, PublicationKind, Step } from "./pipeline.ts";
import type { Result } from "./result.ts";
import type { BreakerSample, CachedResult, RunRecord, RunSummary } from "./state.ts";
import type { Usage } from "./usage.ts";

/** Time, injected for tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds on a clock that never goes back. */
  monotonic(): number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The paths of an attempt, absolute, as its child processes see them. */
export interface WorkspacePaths {
  /** The project tree, and the working directory. */
  readonly root: string;
  /** Inputs, read-only. */
  readonly inputs: string;
  /** The directory for artifacts. */
  readonly output: string;
  /** The prompt, as a file. */
  readonly taskFile: string;
  readonly home: string;
  readonly temp: string;
}

export interface OpenWorkspace {
  readonly runId: string;
  readonly step: Step;
  readonly attempt: number;
  /** Verified files to copy into the inputs directory as `name`. */
  readonly inputs: readonly { readonly name: string; readonly source: string; readonly mediaType: string }[];
  /** The changes of upstream steps, applied over the project. Undefined if there are none. */
  readonly start?: Changeset;
  /** Returns the prompt for the paths. */
  readonly task: (paths: WorkspacePaths) => string;
}

export interface SpawnRequest {
  /** argv, or a shell command (`sh -c`). */
  readonly command: readonly string[] | string;
  /** Declared variables. The workspace adds PATH, HOME, LANG and TMPDIR. */
  readonly env: Readonly<Record<string, string>>;
  /** `task`: standard input is the task file; otherwise it is empty. */
  readonly stdin?: "task";
  readonly timeoutMs: number;
  readonly memoryLimitBytes?: number;
  readonly signal: AbortSignal;
  /** Contracts' commands get no secrets, and only the network of `network`. */
  readonly role: "adapter" | "contract";
  /** Host patterns that a contract's command may reach. Defaults to none. Personas use the rules of their step. */
  readonly network?: readonly string[];
  /** For a contract: entries that replace the attempt's files in the contract's tree only. */
  readonly restore?: ReadonlyMap<string, TreeEntry | undefined>;
  onOutput(chunk: Uint8Array, stream: "stdout" | "stderr"): void;
}

/** How a child ended. Its process group has ended as well. */
export type SpawnOutcome =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string }
  | { readonly kind: "timed-out"; readonly limitMs: number }
  | { readonly kind: "memory-exceeded"; readonly limitBytes: number; readonly peakBytes: number }
  | { readonly kind: "disk-exceeded"; readonly limitBytes: number; readonly usedBytes: number }
  | { readonly kind: "cancelled" }
  /** Not started. `code` is the errno name. */
  | { readonly kind: "not-started"; readonly code: string; readonly detail: string }
  /** Not started, because the workspace could not be prepared. */
  | { readonly kind: "unprepared"; readonly failure: Failure };

export interface WorkspaceEntry {
  /** Relative to the area, with forward slashes. */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "other";
  readonly size: number;
}

/** The parts of a workspace that Wave reads and writes. */
export type WorkspaceArea = "root" | "output" | "inputs" | "temp";

/** A file, a symlink (its bytes are the target) or a directory, with git's mode. */
export type TreeEntry =
  | { readonly mode: "100644" | "100755" | "120000"; readonly bytes: Uint8Array }
  /** An empty directory. */
  | { readonly mode: "040000" };

/** The changes of an attempt. */
export interface AttemptChanges {
  readonly changes: Changeset;
  /**
   * Printable paths that are left out only because of ignore rules that this run added: topmost only, sorted.
   * Directories end in `/`.
   */
  readonly ignored: readonly string[];
}

/** The directory of one attempt. Adapters, contracts and collection access files only through it. */
export interface Workspace {
  readonly paths: WorkspacePaths;
  /** Printable, sorted paths of ignored files that are left out because they cannot be read. Defaults to none. */
  readonly unreadable?: readonly string[];
  /** Connections that the sandbox refused to children of the step's persona so far, each once. Defaults to none. */
  readonly denied?: () => readonly Denial[];
  spawn(request: SpawnRequest): Promise<SpawnOutcome>;
  /**
   * The bytes of a regular file. Refuses paths outside the area, including through symlinks, and files over `limit`
   * bytes.
   */
  read(area: WorkspaceArea, path: string, limit: number): Promise<Result<Uint8Array>>;
  /** The entries that match a glob, sorted by path. Skips `.git` and state, and does not follow symlinked directories. */
  list(area: WorkspaceArea, glob: string): Promise<Result<readonly WorkspaceEntry[]>>;
  /**
   * Writes entries into an area, creating parents; `undefined` deletes the path and directories left empty. Refuses
   * `.git`, state and paths outside the area, including through symlinks; entries before the refused one may have been
   * written.
   */
  write(area: Exclude<WorkspaceArea, "inputs">, entries: ReadonlyMap<string, TreeEntry | undefined>): Promise<Result<void>>;
  /**
   * The changes since the attempt started, with the bytes of both sides in the blob store. Undefined if the workspace is shared with others. Leaves out
   * `.git`, state and ignored files.
   */
  changeset(): Promise<Result<AttemptChanges | undefined>>;
  /** Releases the workspace. That of a failed attempt is kept for inspection. */
  discard(outcome: "passed" | "failed"): Promise<void>;
}

export interface WorkspaceProvider {
  readonly name: string;
  open(request: OpenWorkspace): Promise<Result<Workspace>>;
}

/** The log of an attempt: redacted and limited in size. */
export interface OutputLog {
  write(chunk: Uint8Array, stream: "stdout" | "stderr"): void;
  /** The last few kilobytes, redacted. */
  tail(): string;
}

export interface AdapterContext {
  readonly step: Step;
  readonly attempt: AttemptId;
  readonly workspace: Workspace;
  readonly prompt: string;
  /** Digests of all known factors of the result. */
  readonly fingerprint: FingerprintRef;
  /** Files that contracts refer to, by path. */
  readonly files: ReadonlyMap<string, ContractFile>;
  /** Declared `env` and the values of declared `secrets`. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly log: OutputLog;
  /** Reports the total usage so far. */
  onUsage?(usage: Usage): void;
}

export interface AdapterOutcome {
  /** The last message of the adapter. */
  readonly finalMessage?: string;
}

/** Executes personas. */
export interface Adapter {
  readonly name: string;
  /** The actual version, for the fingerprint. */
  version(step: Step): Promise<Result<string>>;
  /** Why it cannot run a step here; checked before any step starts. Undefined if it can. */
  problem?(step: Step): Promise<{ readonly detail: string; readonly hint: string } | undefined>;
  run(context: AdapterContext): Promise<Result<AdapterOutcome>>;
}

/** A file as of the start of the run. */
export interface ContractFile {
  readonly path: string;
  readonly text: string;
  readonly digest: Digest;
}

/** A file of the trusted source. */
export interface TrustedFile {
  /** Relative to the project root, with forward slashes. */
  readonly path: string;
  /** Git's id for its bytes. */
  readonly id: string;
}

/** Files of the trusted source: the base commit of a fork's pull request, else the base of the run. */
export interface TrustedFiles {
  /** Files and symbolic links whose path matches, sorted by path. Fails with `github-failed` if the host of a commit does not answer. */
  list(matches: (path: string) => boolean): Promise<Result<readonly TrustedFile[]>>;
  /** Fails with `project-changed` if the file was edited since and the repository does not have the earlier bytes, and as the host does. */
  read(path: string): Promise<Result<TreeEntry>>;
}

export interface ContractContext {
  readonly contract: ContractDefinition;
  readonly step: Step;
  readonly attempt: AttemptId;
  readonly workspace: Workspace;
  readonly artifacts: readonly ArtifactRef[];
  /** The verified bytes of an artifact of this step. */
  readonly readArtifact: (name: string) => Promise<Result<Uint8Array>>;
  /** Schemas, as of the start of the run. */
  readonly files: ReadonlyMap<string, ContractFile>;
  /** The source of protected files. If undefined, contracts that protect files end in `error`. */
  readonly trustedFiles?: TrustedFiles;
  readonly signal: AbortSignal;
  readonly log: OutputLog;
}

export interface ContractOutcome {
  readonly verdict: "pass" | "fail" | "error";
  readonly violations: readonly Violation[];
  /** The end of what a command printed. */
  readonly tail?: string;
  /** With `error`: the limit that stopped the evaluation. A retry would exceed it again. */
  readonly exceeded?: ExceededLimit;
}

/** A problem in a contract's definition, for `wave validate`. */
export interface ContractProblem {
  readonly message: string;
  readonly hint?: string;
  readonly location?: { readonly file: string; readonly line: number; readonly column: number };
}

/** A contract type. */
export interface ContractType {
  readonly type: ContractDefinition["type"];
  /** Problems of the definition and of the files that it names. Pure. */
  check(contract: ContractDefinition, files: ReadonlyMap<string, ContractFile>, signal?: AbortSignal): Promise<readonly ContractProblem[]>;
  verify(context: ContractContext): Promise<ContractOutcome>;
  /** Prepares `verify` while the attempt is running; returns at once. */
  warm?(): void;
}

/** Replaces the values of declared secrets and their usual encodings by `***`, and tokens of known shapes by their kind: `[jwt]`. */
export interface Redactor {
  text(text: string): string;
  /** Redacts every string of a JSON-like value, keys included. Returns the value itself if nothing is replaced. */
  value<T>(value: T): T;
  /** Whether bytes contain a secret. */
  finds(bytes: Uint8Array): boolean;
  /** The kind of secret in the bytes: `declared secret`, or the kind of the first token. Undefined if there is none. */
  kindOf(bytes: Uint8Array): string | undefined;
  /** The kind of a secret that is in `after` and not in `before`. */
  newKindOf(after: Uint8Array, before: Uint8Array): string | undefined;
  /** Whether `after` contains a secret that `before` does not. */
  findsNew(after: Uint8Array, before: Uint8Array): boolean;
  /**
   * A filter for a stream. It holds bytes back until `flush`, to find secrets that are split across chunks. `peek` returns the result of `flush` without
   * side effects.
   */
  stream(): { push(chunk: Uint8Array): Uint8Array; flush(): Uint8Array; peek(): Uint8Array };
}

/** Content-addressed bytes. */
export interface BlobStore {
  put(bytes: Uint8Array): Promise<Result<{ readonly digest: Digest; readonly size: number }>>;
  /** The bytes, verified against the digest. */
  get(digest: Digest): Promise<Result<Uint8Array>>;
  /** The path of a verified copy. */
  pathOf(digest: Digest): Promise<Result<string>>;
}

/** Writes events of one run, for one process. */
export interface Journal {
  readonly runId: string;
  readonly writer: string;
  /** Resolves once the events are on disk; overlapping calls share one fsync. */
  append(payloads: readonly EventPayload[]): Promise<Result<readonly WaveEvent[]>>;
  /** Writes `writer-closed` and releases the run. */
  close(): Promise<Result<void>>;
}

/** The journals and the index over them. */
export interface StateStore {
  /** Opens a new writer for a run and takes the run's lock. Fails with `run-active` while another process has it. */
  openJournal(run: string): Promise<Result<Journal>>;
  /** Newest first. */
  listRuns(filter?: { readonly pipeline?: string; readonly limit?: number }): Promise<Result<readonly RunSummary[]>>;
  /** Like `listRuns`, without loading the database if the run index is up to date. */
  recentRuns(filter?: { readonly pipeline?: string; readonly limit?: number }): Promise<Result<readonly RunSummary[]>>;
  /** An id, a unique prefix, `latest`, or a pipeline's name (its newest run). */
  findRun(selector: string): Promise<Result<RunRecord>>;
  /** All runs, archived ones included, oldest first. */
  allRuns(): Promise<Result<readonly RunRecord[]>>;
  /** Events of one run in reading order. */
  readEvents(run: string): Promise<Result<readonly WaveEvent[]>>;
  /** The passed attempts of a pipeline that were not rolled back, newest first. */
  cachedResults(pipeline: string): Promise<Result<readonly CachedResult[]>>;
  /** Runs of a pipeline that ended with this project tree, newest first. */
  runsEndingAt(pipeline: string, tree: Digest): Promise<Result<readonly RunRecord[]>>;
  /** The newest counted attempts under a breaker key since its last reset, newest first. */
  breakerWindow(breaker: string, size: number): Promise<Result<readonly BreakerSample[]>>;
}

/** Publishes an artifact. Idempotent. */
export interface Publisher {
  readonly kind: PublicationKind;
  /** Returns the URL. Fails with `publish-refused` and `github-failed`. */
  publish(artifact: {
    readonly name: string;
    readonly digest: Digest;
    readonly bytes: Uint8Array;
  }): Promise<Result<{ readonly url: string }>>;
}

/** The result of reading a project file. */
export type FileRead =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "missing" }
  | { readonly kind: "too-large"; readonly size: number; readonly limit: number }
  | { readonly kind: "outside" }
  | { readonly kind: "unreadable"; readonly code: string; readonly detail: string };

/** The disk, or the files pinned at the start of a run. Paths are relative to the project root. */
export interface FileSource {
  /** `anywhere` allows paths outside the project, for manifests that the user named. */
  read(path: string, limit: number, scope?: "project" | "anywhere"): Promise<FileRead>;
  /** Sorted names of the regular files directly in a directory; empty if it does not exist. */
  list(directory: string): Promise<readonly string[]>;
}

export interface AttemptUsage {
  readonly step: string;
  readonly attempt: number;
  readonly usage: Usage;
}

/** Receives every event once it is on disk. An error in a reporter is a warning and never fails the run. */
export interface Reporter {
  readonly name: string;
  onEvent(event: WaveEvent): void;
  /** A child's output, redacted. */
  onOutput?(output: { readonly step: string; readonly attempt: number; readonly text: string }): void;
  /** The usage of a running attempt so far, as its adapter reports it. */
  onUsage?(used: AttemptUsage): void;
  close(): Promise<void>;
}
