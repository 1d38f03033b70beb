/**
 * The ports: what the stages ask of the world and of each other. The spine injects implementations; a port's
 * implementations share one conformance suite.
 */
import type { Changeset } from "./changeset.ts";
import type { Digest } from "./digest.ts";
import type { ArtifactRef, EventPayload, FingerprintRef, WaveEvent } from "./event.ts";
import type { ExceededLimit } from "./exceeded-limit.ts";
import type { Denial, Failure, Violation } from "./failure.ts";
import type { ContractDefinition, PublicationKind, Resources, Step } from "./pipeline.ts";
import type { Result } from "./result.ts";
import type { BreakerSample, CachedResult, RunRecord, RunSummary } from "./state.ts";
import type { Usage } from "./usage.ts";

/** Time. Injected so that tests decide when it passes. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds on a clock that never goes back. */
  monotonic(): number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What a child sees. All paths are absolute, as the child sees them. */
export interface WorkspacePaths {
  /** The project's tree, and the child's working directory. */
  readonly root: string;
  /** Where inputs lie, read-only. */
  readonly inputs: string;
  /** Where the step leaves its artifacts. */
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
  /** Verified files to lay into the inputs directory, under `name`. */
  readonly inputs: readonly { readonly name: string; readonly source: string; readonly mediaType: string }[];
  /** What lies over the project: the changes of the steps that this one builds on; nothing where there are none. */
  readonly start?: Changeset;
  /** The prompt, once the paths are known. */
  readonly task: (paths: WorkspacePaths) => string;
}

export interface SpawnRequest {
  /** argv, or a shell command (`sh -c`). */
  readonly command: readonly string[] | string;
  /** Declared variables; the workspace adds PATH, HOME, LANG, TMPDIR and nothing else. */
  readonly env: Readonly<Record<string, string>>;
  /** `task`: the child reads the task file on standard input; otherwise it reads nothing. */
  readonly stdin?: "task";
  readonly timeoutMs: number;
  readonly memoryLimitBytes?: number;
  readonly signal: AbortSignal;
  /** Contract commands have rights of their own: no secrets, and no network but `network`. */
  readonly role: "adapter" | "contract";
  /** Host patterns that a contract's command may reach; absent: none. The persona's are those of its step. */
  readonly network?: readonly string[];
  /** For a contract: what its tree has at these paths in place of the attempt's files. The attempt's own tree stays as it is. */
  readonly restore?: ReadonlyMap<string, TreeEntry | undefined>;
  onOutput(chunk: Uint8Array, stream: "stdout" | "stderr"): void;
}

/** How a child ended. Its whole process group is gone when this is given. */
export type SpawnOutcome =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string }
  | { readonly kind: "timed-out"; readonly limitMs: number }
  | { readonly kind: "memory-exceeded"; readonly limitBytes: number; readonly peakBytes: number }
  | { readonly kind: "disk-exceeded"; readonly limitBytes: number; readonly usedBytes: number }
  | { readonly kind: "cancelled" }
  /** Never started: `code` is the errno name (ENOENT, EACCES, E2BIG). */
  | { readonly kind: "not-started"; readonly code: string; readonly detail: string }
  /** Never started, for what the workspace needed first could not be made: nothing is wrong with the command. */
  | { readonly kind: "unprepared"; readonly failure: Failure };

export interface WorkspaceEntry {
  /** Relative to the area, with forward slashes. */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "other";
  readonly size: number;
}

/** The places that are reached into from outside: the two where artifacts may lie, the inputs, and the attempt's temporary files. */
export type WorkspaceArea = "root" | "output" | "inputs" | "temp";

/** What is to lie at a path: a file or a symlink with its bytes (a symlink's are its target), or a directory. Modes are written as git does. */
export type TreeEntry =
  | { readonly mode: "100644" | "100755" | "120000"; readonly bytes: Uint8Array }
  /** A directory with nothing in it. */
  | { readonly mode: "040000" };

/** What an attempt changed. */
export interface AttemptChanges {
  readonly changes: Changeset;
  /** Printable paths that only ignore rules of the attempt or of the steps before it left out, topmost only, sorted. Directories end in `/`. */
  readonly ignored: readonly string[];
}

/** The ephemeral directory that one attempt sees: the one door through which adapters, contracts and collection touch the world. */
export interface Workspace {
  readonly paths: WorkspacePaths;
  /** Printable paths of ignored files and directories that the workspace lacks, because they cannot be read, sorted. Defaults to none. */
  readonly unreadable?: readonly string[];
  /** Connections that the sandbox refused to children of the step's persona so far, each once. Defaults to none. */
  readonly denied?: () => readonly Denial[];
  spawn(request: SpawnRequest): Promise<SpawnOutcome>;
  /** A regular file's bytes. Refuses what lies outside the area, also through symlinks, and what is over `limit` bytes. */
  read(area: WorkspaceArea, path: string, limit: number): Promise<Result<Uint8Array>>;
  /** What matches a glob, sorted by path; `.git` and state are never listed, symlinked directories are not entered. */
  list(area: WorkspaceArea, glob: string): Promise<Result<readonly WorkspaceEntry[]>>;
  /**
   * Makes paths of an area be as given, as a child of the attempt could: with what is above them; `undefined` takes away what is there, and directories
   * that this empties. Refuses what lies outside the area, also through symlinks, `.git` and state; then nothing may be as asked for.
   */
  write(area: Exclude<WorkspaceArea, "inputs">, entries: ReadonlyMap<string, TreeEntry | undefined>): Promise<Result<void>>;
  /**
   * What the attempt changed, over what it started from, with the bytes of both sides in the store of blobs; nothing where the
   * workspace cannot tell its own changes from others'. `.git`, state and what git ignores are no part of it.
   */
  changeset(): Promise<Result<AttemptChanges | undefined>>;
  /** Gives the workspace back. A failed attempt's is kept for inspection. */
  discard(outcome: "passed" | "failed"): Promise<void>;
}

export interface WorkspaceProvider {
  readonly name: string;
  open(request: OpenWorkspace): Promise<Result<Workspace>>;
}

/** Where a child's output goes: scrubbed, capped, kept as the attempt's log. */
export interface OutputLog {
  write(chunk: Uint8Array, stream: "stdout" | "stderr"): void;
  /** The last few kilobytes, scrubbed, as text. */
  tail(): string;
}

export interface AdapterContext {
  readonly step: Step;
  readonly attempt: number;
  readonly runId: string;
  readonly workspace: Workspace;
  readonly prompt: string;
  /** What the attempt's outcome depends on, as far as wave can tell. */
  readonly fingerprint: FingerprintRef;
  /** What contracts are judged by, by path. */
  readonly files: ReadonlyMap<string, ContractFile>;
  /** Declared `env` and the values of declared `secrets`. */
  readonly env: Readonly<Record<string, string>>;
  readonly resources: Resources;
  readonly signal: AbortSignal;
  readonly log: OutputLog;
  /** What the attempt has asked of a model so far; each call replaces what was told before. */
  onUsage?(usage: Usage): void;
}

export interface AdapterOutcome {
  /** What the adapter said last. */
  readonly finalMessage?: string;
}

/** How a persona is executed. */
export interface Adapter {
  readonly name: string;
  /** The actual version, for the fingerprint. */
  version(step: Step): Promise<Result<string>>;
  /** Why it cannot run a step here, found out before any work; nothing where it can. Absent: there is nothing that it needs. */
  problem?(step: Step): Promise<{ readonly detail: string; readonly hint: string } | undefined>;
  run(context: AdapterContext): Promise<Result<AdapterOutcome>>;
}

/** A file as it was when the run began. */
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

/** Project files as the trusted source has them: the base commit of a fork's pull request, else the base of the run. */
export interface TrustedFiles {
  /** Files and symbolic links whose path matches, sorted by path. Fails with `github-failed` if the host of a commit does not answer. */
  list(matches: (path: string) => boolean): Promise<Result<readonly TrustedFile[]>>;
  /** Fails with `project-changed` if the file of a run's base was edited since and its repository does not have it, and as the host does. */
  read(path: string): Promise<Result<TreeEntry>>;
}

export interface ContractContext {
  readonly contract: ContractDefinition;
  readonly step: Step;
  readonly attempt: number;
  readonly runId: string;
  readonly workspace: Workspace;
  readonly artifacts: readonly ArtifactRef[];
  /** The verified bytes of an artifact of this step. */
  readonly readArtifact: (name: string) => Promise<Result<Uint8Array>>;
  /** Files as they were when the run began: the contract's schemas. */
  readonly files: ReadonlyMap<string, ContractFile>;
  /** Where protected files are restored from. Undefined if it is not known; then a contract that protects files is an `error`. */
  readonly trustedFiles?: TrustedFiles;
  readonly signal: AbortSignal;
  readonly log: OutputLog;
}

export interface ContractOutcome {
  readonly verdict: "pass" | "fail" | "error";
  readonly violations: readonly Violation[];
  /** The end of what a command printed. */
  readonly tail?: string;
  /** With `error`: the limit that stopped the evaluation. Evaluating again would exceed it again. */
  readonly exceeded?: ExceededLimit;
}

/** A problem in a contract's definition, for validate. `pointer` leads into `file` where that is the one at fault. */
export interface ContractProblem {
  readonly message: string;
  readonly hint?: string;
  readonly location?: { readonly file: string; readonly line: number; readonly column: number };
}

/** A contract type. */
export interface ContractType {
  readonly type: ContractDefinition["type"];
  /** Pure: whether the definition can be evaluated, from the files it names. */
  check(contract: ContractDefinition, files: ReadonlyMap<string, ContractFile>, signal?: AbortSignal): Promise<readonly ContractProblem[]>;
  verify(context: ContractContext): Promise<ContractOutcome>;
  /** Prepares `verify` while the attempt is running; returns at once. */
  warm?(): void;
}

/** Replaces the values of declared secrets and their usual encodings by `***`, and tokens of known shapes by their kind: `[jwt]`. */
export interface Redactor {
  text(text: string): string;
  /** Every string in a JSON-like value, keys too; the value itself where nothing is replaced. */
  value<T>(value: T): T;
  /** Whether bytes hold a secret. */
  finds(bytes: Uint8Array): boolean;
  /** What kind of secret bytes hold: `declared secret`, or the kind of the first token; nothing where there is none. */
  kindOf(bytes: Uint8Array): string | undefined;
  /** The kind of a secret that is in `after` and not in `before`: what an edit added. */
  newKindOf(after: Uint8Array, before: Uint8Array): string | undefined;
  /** Whether `after` holds a secret that `before` does not hold. */
  findsNew(after: Uint8Array, before: Uint8Array): boolean;
  /**
   * A filter for a stream: secrets split across chunks are found, so some bytes are held back until `flush`. `peek` gives what
   * `flush` would give now, and changes nothing.
   */
  stream(): { push(chunk: Uint8Array): Uint8Array; flush(): Uint8Array; peek(): Uint8Array };
}

/** Content-addressed bytes. */
export interface BlobStore {
  put(bytes: Uint8Array): Promise<Result<{ readonly digest: Digest; readonly size: number }>>;
  /** The bytes, verified against the digest. */
  get(digest: Digest): Promise<Result<Uint8Array>>;
  /** The path of a verified copy, to lay into a workspace. */
  pathOf(digest: Digest): Promise<Result<string>>;
}

/** One process's way to write events of one run. */
export interface Journal {
  readonly runId: string;
  readonly writer: string;
  /** Resolves once the events are on disk; calls that overlap share one fsync. */
  append(payloads: readonly EventPayload[]): Promise<Result<readonly WaveEvent[]>>;
  /** Writes `writer-closed` and releases the run. */
  close(): Promise<Result<void>>;
}

/** The memory of runs. */
export interface StateStore {
  /** Opens a new writer for a run, taking the run's lock. Fails with `run-active` while another process writes it. */
  openJournal(run: string): Promise<Result<Journal>>;
  /** Newest first. */
  listRuns(filter?: { readonly pipeline?: string; readonly limit?: number }): Promise<Result<readonly RunSummary[]>>;
  /** The same, from the run index if it is level with the journals: the database is then neither loaded nor updated. */
  recentRuns(filter?: { readonly pipeline?: string; readonly limit?: number }): Promise<Result<readonly RunSummary[]>>;
  /** An id, a unique prefix, `latest`, or a pipeline's name (its newest run). */
  findRun(selector: string): Promise<Result<RunRecord>>;
  /** Every run that state remembers, archived ones too, the earliest first. */
  allRuns(): Promise<Result<readonly RunRecord[]>>;
  /** Events of one run in reading order. */
  readEvents(run: string): Promise<Result<readonly WaveEvent[]>>;
  /** Every passed attempt that still counts, of all steps of a pipeline, newest first. */
  passedWork(pipeline: string): Promise<Result<readonly CachedResult[]>>;
  /** Runs of a pipeline that ended with this project tree, newest first. */
  runsEndingAt(pipeline: string, tree: Digest): Promise<Result<readonly RunRecord[]>>;
  /** The newest counted attempts under a breaker key since its last reset, newest first. */
  breakerWindow(breaker: string, size: number): Promise<Result<readonly BreakerSample[]>>;
}

/** Writes an artifact to the outside on the user's behalf. Doing it again changes nothing. */
export interface Publisher {
  readonly kind: PublicationKind;
  /** Gives where it can be seen. Fails with `publish-refused` and `github-failed`. */
  publish(artifact: {
    readonly name: string;
    readonly digest: Digest;
    readonly bytes: Uint8Array;
  }): Promise<Result<{ readonly url: string }>>;
}

/** What reading a project file gave. */
export type FileRead =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "missing" }
  | { readonly kind: "too-large"; readonly size: number; readonly limit: number }
  | { readonly kind: "outside" }
  | { readonly kind: "unreadable"; readonly code: string; readonly detail: string };

/** Where `load/` reads project files: the disk, or the files pinned when a run began. Paths are relative to the project root. */
export interface FileSource {
  /** With `anywhere`, the path may lead out of the project: only for manifests that the user named. */
  read(path: string, limit: number, scope?: "project" | "anywhere"): Promise<FileRead>;
  /** Names of the regular files directly in a directory, sorted; empty where there is none. */
  list(directory: string): Promise<readonly string[]>;
}

/** Sees every event once it is on disk. What goes wrong in a reporter is warned about, and never fails a run. */
export interface Reporter {
  readonly name: string;
  onEvent(event: WaveEvent): void;
  /** A child's output, scrubbed. */
  onOutput?(output: { readonly step: string; readonly attempt: number; readonly text: string }): void;
  close(): Promise<void>;
}
