/**
 * What wave asks of GitHub's artifact and cache clients. They run in a thread of their own (`toolkit-thread.ts`): it alone holds the runtime
 * token, what the clients print reaches nobody's log unasked, and a call to a dead service ends with the thread.
 */
import type { RequestOutcome } from "./request-watch.ts";

/** An artifact as the service lists it. */
export interface ListedArtifact {
  readonly id: number;
  readonly name: string;
  /** In bytes, packed. */
  readonly size: number;
  /** Of the packed bytes: `sha256:` and 64 hex digits; absent where the service does not tell. */
  readonly digest?: string;
  /** ISO 8601. */
  readonly createdAt?: string;
}

/** A workflow run that is reached through the REST API, with a token that may read actions. */
export interface RemoteRun {
  readonly token: string;
  readonly owner: string;
  readonly repo: string;
  readonly workflowRun: number;
}

/** Call → what it takes and gives. All of it can be copied between threads. */
export interface ToolkitCalls {
  /** Uploads files below a directory as one artifact. */
  readonly uploadArtifact: {
    readonly takes: { readonly name: string; readonly root: string; readonly files: readonly string[]; readonly retentionDays?: number };
    readonly gives: { readonly id: number; readonly size: number };
  };
  /** Every artifact of this workflow run, or of another. */
  readonly listArtifacts: {
    readonly takes: { readonly from?: RemoteRun };
    readonly gives: readonly ListedArtifact[];
  };
  /** Puts an artifact's packed bytes into an empty directory, as they are. Gives the file. */
  readonly downloadArtifact: {
    readonly takes: { readonly id: number; readonly directory: string; readonly digest?: string; readonly from?: RemoteRun };
    readonly gives: { readonly file: string };
  };
  /** Looks for the newest entry that fits. Gives its key; nothing where none fits. */
  readonly findCache: {
    readonly takes: { readonly path: string; readonly key: string; readonly restoreKeys: readonly string[] };
    readonly gives: { readonly key?: string };
  };
  /**
   * Restores a path, below the directory `root` instead of the checkout, from the newest entry that fits. Returns its key; undefined if none fits. `because`:
   * the client's words on an entry that could not be restored.
   */
  readonly restoreCache: {
    readonly takes: { readonly root: string; readonly path: string; readonly key: string; readonly restoreKeys: readonly string[] };
    readonly gives: { readonly key?: string; readonly because?: string };
  };
  /** Saves a path under a key, and looks whether it is there. Gives what the client says where it is not. */
  readonly saveCache: {
    readonly takes: { readonly path: string; readonly key: string };
    readonly gives: { readonly saved: boolean; readonly because?: string };
  };
}

export type ToolkitCall = keyof ToolkitCalls;

/**
 * Why a call failed. `unavailable`: there is no such service here; `conflict`: the name is taken; `not-found`; `altered`: the bytes are not those
 * that were listed; `late`: it took longer than it may, although the service answered; `unanswered`: it got no answer in time; `given-up`: no requests are sent to the
 * service any more.
 */
export interface ToolkitProblem {
  readonly code: "unavailable" | "conflict" | "not-found" | "altered" | "late" | "unanswered" | "given-up" | "failed";
  readonly detail: string;
}

export interface ToolkitRequest {
  readonly id: number;
  readonly call: ToolkitCall;
  readonly takes: unknown;
}

/** What became of one request of a call that is still open. */
export interface ToolkitOutcome extends RequestOutcome {
  readonly id: number;
}

export type ToolkitAnswer = { readonly id: number } & (
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ToolkitProblem }
);
