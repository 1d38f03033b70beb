/**
 * Every reason that something did not work, as one union told apart by `reason`. Exit codes, retries, check conclusions
 * and wording are total functions over it. Failures are plain JSON, so they can stand in the journal.
 */
import type { Diagnostic } from "./diagnostic.ts";
import type { ExceededLimit } from "./exceeded-limit.ts";

/** A problem that a contract found, with its place as exactly as it is known. */
export interface Violation {
  readonly message: string;
  /** A JSON pointer into the artifact. */
  readonly pointer?: string;
  /** The file or artifact, and the line and column in it, from 1. */
  readonly location?: { readonly file: string; readonly line: number; readonly column: number };
  /** The schema keyword or the test that found it. */
  readonly rule?: string;
}

/** A contract's result, as the journal and reports carry it. */
export interface ContractResult {
  readonly name: string;
  readonly type: string;
  readonly verdict: "pass" | "fail" | "error";
  readonly violations: readonly Violation[];
  /** The end of what the contract's command printed. */
  readonly tail?: string;
  readonly durationMs: number;
  readonly onFailure: "halt" | "retry" | "warn";
  /** With `error`: the limit that stopped the evaluation. */
  readonly exceeded?: ExceededLimit;
}

/** Where two steps' changes do not go together. */
export interface MergeConflict {
  readonly path: string;
  readonly steps: readonly string[];
  /** One sentence. */
  readonly detail: string;
  /** The first place in conflict, with the steps' names at its markers; nothing where the file is no text. */
  readonly hunk?: string;
}

/** An access that permission rules denied. */
export interface Denial {
  /** The action with its path, host or tool call: `writing package.json`, `connecting to example.com:443`. */
  readonly access: string;
  /** The deny rule, or the allow rules that do not cover the access. Empty if it is denied by default. */
  readonly rules: readonly string[];
}

/** A failure. `denied`: accesses that permission rules denied to the attempt, a possible cause. */
export type Failure = ReasonedFailure & { readonly denied?: readonly Denial[] };

type ReasonedFailure =
  /** The command line cannot be understood. */
  | { readonly reason: "usage"; readonly message: string; readonly hint?: string }
  | { readonly reason: "manifest-invalid"; readonly diagnostics: readonly Diagnostic[] }
  | { readonly reason: "file-unreadable"; readonly path: string; readonly code: string; readonly detail: string }
  | {
      readonly reason: "adapter-missing";
      readonly step: string;
      readonly persona: string;
      readonly adapter?: string;
      readonly detail: string;
      readonly hint: string;
    }
  /** Git is older than the oldest supported version, `oldest`. */
  | { readonly reason: "git-outdated"; readonly version: string; readonly oldest: string }
  | { readonly reason: "permission-unenforceable"; readonly rules: readonly { readonly step: string; readonly rule: string }[] }
  /** Root's steps would have no rights to files of the project that belong to other users. `detail`: a sentence on the first one. */
  | { readonly reason: "owner-unsupported"; readonly detail: string }
  | { readonly reason: "state-locked"; readonly path: string; readonly holder: string }
  | { readonly reason: "state-unreadable"; readonly path: string; readonly detail: string }
  /** A write to state failed: full disk, read-only directory. `code` is the errno name. */
  | { readonly reason: "state-unwritable"; readonly path: string; readonly code: string; readonly detail: string }
  /** A journal, blob or database is not what was written. `line` counts from 1. */
  | { readonly reason: "state-damaged"; readonly path: string; readonly line?: number; readonly detail: string }
  | { readonly reason: "run-not-found"; readonly selector: string; readonly candidates: readonly string[] }
  /** A run that a job is to resume is not the one that its own manifest defines. `what`: the first thing that differs; then both values of it. */
  | { readonly reason: "run-mismatch"; readonly run: string; readonly what: string; readonly theirs: string; readonly ours: string }
  | { readonly reason: "run-active"; readonly run: string; readonly pid: number; readonly host: string }
  | { readonly reason: "run-complete"; readonly run: string }
  | { readonly reason: "spawn-failed"; readonly command: string; readonly code: string; readonly detail: string }
  | { readonly reason: "adapter-exit"; readonly exitCode: number; readonly tail: string; readonly inProject?: true }
  | { readonly reason: "adapter-crash"; readonly signal: string; readonly tail: string }
  | { readonly reason: "timeout"; readonly limitMs: number; readonly tail: string }
  | { readonly reason: "memory-exceeded"; readonly limitBytes: number; readonly peakBytes: number }
  | { readonly reason: "disk-exceeded"; readonly limitBytes: number; readonly usedBytes: number }
  /** The adapter ended well but did no work. */
  | { readonly reason: "empty-output"; readonly detail: string }
  /** An agent, or the model behind it, did not answer as it should; `status` is of HTTP. Its work was not judged. */
  | {
      readonly reason: "agent-failed";
      readonly kind: "auth" | "rate-limit" | "network" | "config" | "crash";
      readonly detail: string;
      readonly status?: number;
      /** Milliseconds that the service asks to wait. */
      readonly retryAfterMs?: number;
      readonly tail: string;
    }
  /** The attempt, or the run as a whole, used more than it was given: turns, tokens, US dollars, or milliseconds. */
  | {
      readonly reason: "budget-exceeded";
      readonly what: "turns" | "tokens" | "cost" | "time";
      readonly limit: number;
      readonly used: number;
      readonly of?: "run";
    }
  /** There is no recording of what the attempt was asked. `hint`: how to get one. */
  | {
      readonly reason: "recording-missing";
      readonly step: string;
      readonly attempt: number;
      readonly detail: string;
      readonly hint: string;
    }
  | { readonly reason: "artifact-missing"; readonly artifacts: readonly string[]; readonly searched: readonly string[] }
  | { readonly reason: "artifact-ambiguous"; readonly artifact: string; readonly matches: readonly string[] }
  /** Outside the workspace, or a symlink that leads there, or not a regular file. */
  | { readonly reason: "artifact-refused"; readonly artifact: string; readonly path: string; readonly detail: string }
  | { readonly reason: "artifact-too-large"; readonly artifact: string; readonly size: number; readonly limit: number }
  /** A secret stands in an artifact, or in a file that the attempt changed. `kind`: what it looks like. */
  | { readonly reason: "secret-leaked"; readonly artifact: string; readonly kind?: string }
  /** The attempt changed files that it may not write; none of its changes were kept. `rule`: the setting that denies every change. */
  | { readonly reason: "write-denied"; readonly paths: readonly string[]; readonly rule?: string }
  /** What the attempt left at a path cannot be kept as a change. */
  | { readonly reason: "changeset-refused"; readonly path: string; readonly detail: string }
  /** Steps that ran beside each other changed the same place in different ways, and `step` (or, without one, the run as a whole) builds on them all. */
  | { readonly reason: "merge-conflict"; readonly step?: string; readonly conflicts: readonly MergeConflict[] }
  /** Files are not as they were when the work on them began, so nothing was written. */
  | { readonly reason: "project-changed"; readonly paths: readonly string[]; readonly hint: string }
  | { readonly reason: "input-unavailable"; readonly input: string; readonly from: string; readonly detail: string }
  | { readonly reason: "contract-failed"; readonly contracts: readonly ContractResult[] }
  | { readonly reason: "contract-error"; readonly contract: string; readonly detail: string }
  /** Evaluating a contract exceeded a limit, so the work was not judged. */
  | { readonly reason: "contract-limit-exceeded"; readonly contract: string; readonly limit: ExceededLimit }
  | {
      readonly reason: "circuit-open";
      readonly contract: string;
      readonly persona: string;
      readonly failed: number;
      readonly window: number;
      readonly retryAt: string;
    }
  | { readonly reason: "workspace-failed"; readonly detail: string; readonly code: string }
  /**
   * GitHub refused a call, or did not answer. `doing`: what was to be done, after "to". `status`: of HTTP; undefined if there was no answer.
   * `hint`: what would change that, if the status alone does not show it. `limited`: the token's rate limit is used up. `unanswered`: the service, or the
   * way to it, failed.
   */
  | {
      readonly reason: "github-failed";
      readonly doing: string;
      readonly detail: string;
      readonly status?: number;
      readonly limited?: boolean;
      readonly unanswered?: boolean;
      readonly hint?: string;
    }
  /** What is to be published cannot be: it is not there, or not what it has to be. */
  | { readonly reason: "publish-refused"; readonly artifact: string; readonly detail: string }
  | { readonly reason: "cancelled"; readonly by: string }
  /** The run's own end: the steps at fault. */
  | { readonly reason: "run-failed"; readonly run: string; readonly steps: readonly string[] }
  /** A part of a run was asked for whose step waits for one that has not passed in this run. */
  | { readonly reason: "dependency-open"; readonly run?: string; readonly step: string; readonly dependency: string }
  /** The run was taken back to a step; these have to run again. */
  | { readonly reason: "rolled-back"; readonly to: string; readonly steps: readonly string[] };

export type FailureReason = Failure["reason"];
