/**
 * The calls to GitHub's artifact and cache clients, which run in a separate thread (`toolkit-thread.ts`). Only this thread has the runtime
 * token, the clients' output does not reach the log directly, and a call to a dead service ends with the thread.
 */
import type { RequestOutcome } from "./request-watch.ts";

/** An artifact as the service lists it. */
export interface ListedArtifact {
  readonly id: number;
  readonly name: string;
  /** The packed size in bytes. */
  readonly size: number;
  /** The digest of the packed bytes: `sha256:` and 64 hex digits. Undefined if the service does not report it. */
  readonly digest?: string;
  /** ISO 8601. */
  readonly createdAt?: string;
}

/** Another workflow run, accessed through the REST API with a token that has `actions: read`. */
export interface RemoteRun {
  readonly token: string;
  readonly owner: string;
  readonly repo: string;
  readonly workflowRun: number;
}

/** Inputs and outputs of the calls. All values can be copied between threads. */
export interface ToolkitCalls {
  /** Uploads files below a directory as one artifact. */
  readonly uploadArtifact: {
    readonly input: { readonly name: string; readonly root: string; readonly files: readonly string[]; readonly retentionDays?: number };
    readonly output: { readonly id: number; readonly size: number };
  };
  /** Lists all artifacts of this or another workflow run. */
  readonly listArtifacts: {
    readonly input: { readonly from?: RemoteRun };
    readonly output: readonly ListedArtifact[];
  };
  /** Downloads an artifact's packed bytes into an empty directory, without unpacking. Returns the file. */
  readonly downloadArtifact: {
    readonly input: { readonly id: number; readonly directory: string; readonly digest?: string; readonly from?: RemoteRun };
    readonly output: { readonly file: string };
  };
  /** Finds the newest matching entry. `key` is undefined if there is none. */
  readonly findCache: {
    readonly input: { readonly path: string; readonly key: string; readonly restoreKeys: readonly string[] };
    readonly output: { readonly key?: string };
  };
  /**
   * Restores a path from the newest matching entry, below the directory `root` instead of the checkout. `key` is undefined if there is
   * none. `because`: the client's warning if an entry could not be restored.
   */
  readonly restoreCache: {
    readonly input: { readonly root: string; readonly path: string; readonly key: string; readonly restoreKeys: readonly string[] };
    readonly output: { readonly key?: string; readonly because?: string };
  };
  /** Saves a path under a key and checks that it was saved. `because`: the client's warning if not. */
  readonly saveCache: {
    readonly input: { readonly path: string; readonly key: string };
    readonly output: { readonly saved: boolean; readonly because?: string };
  };
}

export type ToolkitCall = keyof ToolkitCalls;

/**
 * Why a call failed. `unavailable`: the service does not exist here; `conflict`: the name is already used; `altered`: the bytes do not match
 * the listed digest; `late`: it took too long, although the service answered; `unanswered`: there was no answer in time; `given-up`: the
 * job no longer uses the service.
 */
export interface ToolkitProblem {
  readonly code: "unavailable" | "conflict" | "not-found" | "altered" | "late" | "unanswered" | "given-up" | "failed";
  readonly detail: string;
}

export interface ToolkitRequest {
  readonly id: number;
  readonly call: ToolkitCall;
  readonly input: unknown;
}

/** The outcome of one HTTP request of a call. */
export interface ToolkitOutcome extends RequestOutcome {
  readonly id: number;
}

export type ToolkitAnswer = { readonly id: number } & (
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ToolkitProblem }
);
