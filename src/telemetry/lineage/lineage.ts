/** The lineage of an artifact: a graph of artifacts, each with the attempt that produced it and the base of its run. */
import type { Digest } from "../../core/digest.ts";
import type { ArtifactRef, BaseRef, ChangesRef, FingerprintRef, RunOptions, WaveEvent } from "../../core/event.ts";
import type { ContractResult } from "../../core/failure.ts";
import type { RunRecord } from "../../core/state.ts";

/** A run with its events. Empty if its journals no longer exist. */
export interface RunWithEvents {
  readonly record: RunRecord;
  readonly events: readonly WaveEvent[];
}

/** A changeset in the workspace in which an attempt started. */
export interface UpstreamChange {
  readonly step: string;
  readonly changes: ChangesRef;
}

/** The attempt that produced an artifact, and its inputs. */
export interface Production {
  readonly run: string;
  readonly pipeline: string;
  readonly version?: string;
  readonly step: string;
  readonly attempt: number;
  readonly persona: string;
  readonly adapter: string;
  readonly model?: string;
  readonly workspace: "isolated" | "shared";
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly fingerprint: FingerprintRef;
  readonly contracts: readonly Pick<ContractResult, "name" | "type" | "verdict">[];
  /** The log's blob. */
  readonly log?: Digest;
  readonly inputs: readonly { readonly name: string; readonly digest: Digest; readonly from: string; readonly node: string }[];
  /** The changes of all upstream steps, in the order of the manifest. */
  readonly builtOn: readonly UpstreamChange[];
  /** Whether `builtOn` matches the attempt's fingerprint. False if upstream steps were rolled back since. */
  readonly upstreamUnchanged: boolean;
  readonly base: Omit<BaseRef, "views">;
  readonly manifest: Digest;
  readonly options: RunOptions;
  /** The process that executed it. Undefined if the journals no longer exist. */
  readonly process?: { readonly wave: string; readonly node: string; readonly platform: string; readonly host: string };
}

export interface LineageNode {
  readonly id: string;
  readonly artifact: Pick<ArtifactRef, "name" | "digest"> & Partial<ArtifactRef>;
  /** Runs that reused the result, starting with the run of the root. */
  readonly reusedBy: readonly string[];
  /** Undefined if no longer known; `gap` is the reason. */
  readonly made?: Production;
  readonly gap?: string;
}

export interface Lineage {
  /** The id of the first node. */
  readonly root: string;
  readonly nodes: readonly LineageNode[];
}
