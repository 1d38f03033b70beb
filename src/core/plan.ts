/** A plan: which steps a run executes, and why. `wave plan` prints it, and `executor/` executes it. */
import type { Digest } from "./digest.ts";
import type { EnforcedRule, SandboxSupport } from "./enforcement.ts";
import type { FingerprintRef } from "./event.ts";
import type { Pipeline, Step } from "./pipeline.ts";
import type { CachedResult } from "./state.ts";

/** An ignored directory of installed packages. Its lockfile and the names and sizes of its files decide whether results are reused. */
export interface DependencyDirectory {
  /** Relative to the project root, as is the lockfile. */
  readonly path: string;
  readonly lockfile: string;
}

export interface Plan {
  readonly pipeline: Pipeline;
  /** Dependencies before dependents, otherwise in the order of the manifest. */
  readonly steps: readonly PlannedStep[];
  /** The sandbox support of this environment. */
  readonly sandbox: SandboxSupport;
  /** Whether steps can rename directories of the project in an overlay here. Defaults to true. */
  readonly directoryRenames?: boolean;
  /** Places of `sandbox.show` that the sandbox cannot show here. Defaults to none. */
  readonly unshownPlaces?: readonly string[];
  /** The longest chain of steps, by expected duration if earlier runs recorded it, else by count. */
  readonly criticalPath: readonly string[];
  /** Undefined if ignored files were not read. */
  readonly dependencyDirectories?: readonly DependencyDirectory[];
}

export interface PlannedStep {
  readonly step: Step;
  /** Direct dependents. */
  readonly dependents: readonly string[];
  /** The length of the longest chain from this step to an end, inclusive. Steps with the highest weight start first. */
  readonly weight: number;
  readonly work: PlannedWork;
  /** Why the step could not start now. Set only for plans that are printed. */
  readonly blocked?: PlannedBlock;
  readonly enforcement: readonly EnforcedRule[];
}

/** Why a step could not start. */
export type PlannedBlock =
  /** Of the last `window` attempts, `failed` failed this contract. `retryAt`: ISO 8601, UTC. */
  | { readonly kind: "circuit"; readonly contract: string; readonly failed: number; readonly window: number; readonly retryAt: string }
  /** It depends on steps that could not start. */
  | { readonly kind: "upstream"; readonly steps: readonly string[] };

/** Whether a cached result exists. */
export type PlannedWork =
  /** A result with equal inputs and contracts exists. */
  | { readonly kind: "equal"; readonly fingerprint: FingerprintRef; readonly cached: CachedResult }
  /** A result with equal inputs but other contracts exists: only the contracts are evaluated again. */
  | { readonly kind: "recheck"; readonly fingerprint: FingerprintRef; readonly cached: CachedResult }
  /** No result with equal inputs exists. `changed` names the parts that differ from the last passed attempt, `since`. */
  | {
      readonly kind: "new";
      readonly fingerprint: FingerprintRef;
      readonly changed: readonly string[];
      readonly since?: Pick<CachedResult, "run" | "attempt" | "finishedAt">;
    }
  /** Depends on outputs that do not exist yet. */
  | { readonly kind: "unknown"; readonly after: readonly string[] };

/** The values that a step's fingerprint is computed from. */
export interface FingerprintSource {
  readonly step: Step;
  /** Digest of each existing input, by its name in the step. */
  readonly inputs: Readonly<Record<string, Digest>>;
  /** The run's input text, if the task uses it. */
  readonly runInput?: Digest;
  /** Represents the changes of the upstream steps; undefined if there are none. */
  readonly changes?: Digest;
  readonly base: FingerprintBase;
  /** The files that the step's contracts name, path → digest. */
  readonly contractFiles: Readonly<Record<string, Digest>>;
  /**
   * Digest of the files that the step's contracts restore from a commit. Undefined if they restore none, or restore
   * them from the base.
   */
  readonly protectedFiles?: Digest;
  /** Operating system and architecture: `linux-x64`. */
  readonly platform: string;
  /** The adapter's actual version. */
  readonly adapterVersion: string;
}

/** Digests of the project's files that a step's result depends on. */
export interface FingerprintBase {
  /** The files of the base that the step may read. */
  readonly view: Digest;
  /** The whole base: contract commands may read all of it. */
  readonly tree: Digest;
  /** Ignored files that the step and its contracts can read. Undefined if they are unknown. */
  readonly ignored?: { readonly work: Digest; readonly contracts: Digest };
}
