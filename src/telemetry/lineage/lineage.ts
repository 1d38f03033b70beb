/** What an artifact was made from: a graph of artifacts, each with the attempt that made it, down to the project's base. */
import type { Digest } from "../../core/digest.ts";
import type { ArtifactRef, BaseRef, ChangesRef, FingerprintRef, RunOptions, WaveEvent } from "../../core/event.ts";
import type { ContractResult } from "../../core/failure.ts";
import type { RunRecord } from "../../core/state.ts";

/** A run, with its events; none when its journals are gone. */
export interface KnownRun {
  readonly record: RunRecord;
  readonly events: readonly WaveEvent[];
}

/** A changeset that an attempt built on. */
export interface BuiltOnChanges {
  readonly step: string;
  readonly changes: ChangesRef;
}

/** The attempt that made an artifact, and what it worked from. */
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
  /** Of all steps upstream that changed something, in the order of the manifest. */
  readonly builtOn: readonly BuiltOnChanges[];
  /** Whether `builtOn` is what the attempt's fingerprint says; not, when steps upstream were undone since. */
  readonly builtOnHolds: boolean;
  readonly base: Omit<BaseRef, "views">;
  readonly manifest: Digest;
  readonly options: RunOptions;
  /** The process that ran it; absent when the journals are gone. */
  readonly process?: { readonly wave: string; readonly node: string; readonly platform: string; readonly host: string };
}

export interface LineageNode {
  readonly id: string;
  readonly artifact: Pick<ArtifactRef, "name" | "digest"> & Partial<ArtifactRef>;
  /** Runs that took the work over instead of doing it, the one that was asked about first. */
  readonly reusedBy: readonly string[];
  /** Absent when it cannot be told any more; `gap` says why. */
  readonly made?: Production;
  readonly gap?: string;
}

export interface Lineage {
  /** The id of the node that was asked about, which is the first. */
  readonly root: string;
  readonly nodes: readonly LineageNode[];
}
