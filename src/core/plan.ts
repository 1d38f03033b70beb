/** A plan: what a run would do, and why. It is what `wave plan` prints and what `execute/` follows. */
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
  /** Dependencies before dependents; among equals in the order of the manifest. */
  readonly steps: readonly PlannedStep[];
  /** What this environment can fence. */
  readonly sandbox: SandboxSupport;
  /** Whether steps can rename directories of the project in an overlay here. Defaults to true. */
  readonly directoryRenames?: boolean;
  /** Places of `sandbox.show` that the sandbox cannot show here. Defaults to none. */
  readonly unshownPlaces?: readonly string[];
  /** The longest chain of steps, by expected duration where earlier runs tell it, else by count. */
  readonly criticalPath: readonly string[];
  /** Undefined if ignored files were not looked at. */
  readonly dependencyDirectories?: readonly DependencyDirectory[];
}

export interface PlannedStep {
  readonly step: Step;
  /** Direct dependents. */
  readonly dependents: readonly string[];
  /** The length of the longest chain from here to an end, this step included: longest-path-first starts the highest first. */
  readonly weight: number;
  readonly work: PlannedWork;
  /** Why it could not begin now, if it had to; asked for plans that are printed. */
  readonly blocked?: PlannedBlock;
  readonly enforcement: readonly EnforcedRule[];
}

/** Why a step could not begin. */
export type PlannedBlock =
  /** Of the last `window` attempts, `failed` failed this contract. `retryAt`: ISO 8601, UTC. */
  | { readonly kind: "circuit"; readonly contract: string; readonly failed: number; readonly window: number; readonly retryAt: string }
  /** It waits for steps that could not begin. */
  | { readonly kind: "upstream"; readonly steps: readonly string[] };

/** Whether equal work exists. */
export type PlannedWork =
  /** Equal work and gates passed before. */
  | { readonly kind: "equal"; readonly fingerprint: FingerprintRef; readonly cached: CachedResult }
  /** Equal work passed before under other gates: only the contracts are evaluated again. */
  | { readonly kind: "recheck"; readonly fingerprint: FingerprintRef; readonly cached: CachedResult }
  /** Nothing equal passed before. `changed` names the parts that differ from the last time this step passed, which is `since`. */
  | {
      readonly kind: "new";
      readonly fingerprint: FingerprintRef;
      readonly changed: readonly string[];
      readonly since?: Pick<CachedResult, "run" | "attempt" | "finishedAt">;
    }
  /** Depends on outputs that do not exist yet. */
  | { readonly kind: "unknown"; readonly after: readonly string[] };

/** What the fingerprint of one step is taken over. */
export interface FingerprintSource {
  readonly step: Step;
  /** Digest of each input that is there, by the name the step sees. */
  readonly inputs: Readonly<Record<string, Digest>>;
  /** The run's input text, where the task uses it. */
  readonly runInput?: Digest;
  /** What stands for the changes of the steps that it builds on; nothing where there are none. */
  readonly changes?: Digest;
  readonly base: FingerprintBase;
  /** The files that the step's contracts name, path → digest. */
  readonly contractFiles: Readonly<Record<string, Digest>>;
  /** Of the files that the step's contracts restore from a commit. Undefined if they restore none, or from the base. */
  readonly protectedFiles?: Digest;
  /** `linux-x64` and the like. */
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
