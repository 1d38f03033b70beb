/** All failures, as one union discriminated by `reason`. They are plain JSON, as stored in journals. `failures.ts` has the exit code and text of each. */
import type { Diagnostic } from "./diagnostic.ts";
import type { ExceededLimit } from "./exceeded-limit.ts";

/** A problem that a contract found, with the known parts of its place. */
export interface Violation {
  readonly message: string;
  /** A JSON pointer into the artifact. */
  readonly pointer?: string;
  /** A file or artifact. Line and column start at 1. */
  readonly location?: { readonly file: string; readonly line: number; readonly column: number };
  /** The schema keyword or the test that found it. */
  readonly rule?: string;
}

/** A contract's result, as stored in journals. */
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

/** A path that two steps changed in conflicting ways. */
export interface MergeConflict {
  readonly path: string;
  readonly steps: readonly string[];
  /** One sentence. */
  readonly detail: string;
  /** The first conflict, with the names of the steps at its markers. Undefined if the file is not text. */
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
  /** The command line is wrong. */
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
  /** Steps of root would have no access to project files of other users. `detail` names the first file. */
  | { readonly reason: "owner-unsupported"; readonly detail: string }
  | { readonly reason: "state-locked"; readonly path: string; readonly holder: string }
  | { readonly reason: "state-unreadable"; readonly path: string; readonly detail: string }
  /** A write to state failed: full disk, read-only directory. `code` is the errno name. */
  | { readonly reason: "state-unwritable"; readonly path: string; readonly code: string; readonly detail: string }
  /** A journal, blob or database has unexpected content. `line` starts at 1. */
  | { readonly reason: "state-damaged"; readonly path: string; readonly line?: number; readonly detail: string }
  | { readonly reason: "run-not-found"; readonly selector: string; readonly candidates: readonly string[] }
  /** A job cannot resume a run of another manifest. `what` is the first difference, `theirs` and `ours` its two values. */
  | { readonly reason: "run-mismatch"; readonly run: string; readonly what: string; readonly theirs: string; readonly ours: string }
  | { readonly reason: "run-active"; readonly run: string; readonly pid: number; readonly host: string }
  | { readonly reason: "run-complete"; readonly run: string }
  | { readonly reason: "spawn-failed"; readonly command: string; readonly code: string; readonly detail: string }
  | { readonly reason: "adapter-exit"; readonly exitCode: number; readonly tail: string; readonly inProject?: true }
  | { readonly reason: "adapter-crash"; readonly signal: string; readonly tail: string }
  | { readonly reason: "timeout"; readonly limitMs: number; readonly tail: string }
  | { readonly reason: "memory-exceeded"; readonly limitBytes: number; readonly peakBytes: number }
  | { readonly reason: "disk-exceeded"; readonly limitBytes: number; readonly usedBytes: number }
  /** The adapter exited successfully but produced nothing. */
  | { readonly reason: "empty-output"; readonly detail: string }
  /** An agent or its model API failed, so contracts were not evaluated. `status`: the HTTP status. */
  | {
      readonly reason: "agent-failed";
      readonly kind: "auth" | "rate-limit" | "network" | "config" | "crash";
      readonly detail: string;
      readonly status?: number;
      /** The wait that the service requires, in milliseconds. */
      readonly retryAfterMs?: number;
      readonly tail: string;
    }
  /** The attempt or the run exceeded its budget of turns, tokens, US dollars or milliseconds. */
  | {
      readonly reason: "budget-exceeded";
      readonly what: "turns" | "tokens" | "cost" | "time";
      readonly limit: number;
      readonly used: number;
      readonly of?: "run";
    }
  /** No recording has the attempt's prompt. `hint`: how to record one. */
  | {
      readonly reason: "recording-missing";
      readonly step: string;
      readonly attempt: number;
      readonly detail: string;
      readonly hint: string;
    }
  | { readonly reason: "artifact-missing"; readonly artifacts: readonly string[]; readonly searched: readonly string[] }
  | { readonly reason: "artifact-ambiguous"; readonly artifact: string; readonly matches: readonly string[] }
  /** The path is outside the workspace, possibly through a symlink, or not a regular file. */
  | { readonly reason: "artifact-refused"; readonly artifact: string; readonly path: string; readonly detail: string }
  | { readonly reason: "artifact-too-large"; readonly artifact: string; readonly size: number; readonly limit: number }
  /** An artifact or a changed file contains a secret of this `kind`. */
  | { readonly reason: "secret-leaked"; readonly artifact: string; readonly kind?: string }
  /** The attempt changed files that it may not write; all its changes are discarded. `rule`: a setting that denies every change. */
  | { readonly reason: "write-denied"; readonly paths: readonly string[]; readonly rule?: string }
  /** A file type or size that a changeset cannot contain. */
  | { readonly reason: "changeset-refused"; readonly path: string; readonly detail: string }
  /** Steps without a dependency between them made conflicting changes. `step` depends on them; undefined: the run's result does. */
  | { readonly reason: "merge-conflict"; readonly step?: string; readonly conflicts: readonly MergeConflict[] }
  /** Files changed in the meantime, so nothing was written. */
  | { readonly reason: "project-changed"; readonly paths: readonly string[]; readonly hint: string }
  | { readonly reason: "input-unavailable"; readonly input: string; readonly from: string; readonly detail: string }
  | { readonly reason: "contract-failed"; readonly contracts: readonly ContractResult[] }
  | { readonly reason: "contract-error"; readonly contract: string; readonly detail: string }
  /** The evaluation of a contract exceeded a limit, so there is no verdict. */
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
   * GitHub refused a call or did not answer. `doing`: a verb phrase such as `write a check run`. `status`: the HTTP status; undefined if there was no answer.
   * `limited`: the token's rate limit is used up. `unanswered`: the service or the connection failed.
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
  /** An artifact cannot be published: it is missing or has the wrong content. */
  | { readonly reason: "publish-refused"; readonly artifact: string; readonly detail: string }
  | { readonly reason: "cancelled"; readonly by: string }
  /** The run failed because these steps did. */
  | { readonly reason: "run-failed"; readonly run: string; readonly steps: readonly string[] }
  /** A selected step depends on one that is not selected and has not passed in this run. */
  | { readonly reason: "dependency-open"; readonly run?: string; readonly step: string; readonly dependency: string }
  /** The run was rolled back to step `to`; `steps` have to run again. */
  | { readonly reason: "rolled-back"; readonly to: string; readonly steps: readonly string[] };

export type FailureReason = Failure["reason"];
