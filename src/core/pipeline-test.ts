/** Tests of pipelines, and the results that they compare. */
import type { Digest } from "./digest.ts";
import type { Origin } from "./document.ts";
import type { Failure } from "./failure.ts";
import type { JsonValue } from "./json.ts";
import type { Pipeline } from "./pipeline.ts";

/** An expected value, and its place in the test file. */
export interface Expected<T> {
  readonly value: T;
  readonly origin: Origin;
}

export interface PipelineTest {
  /** The file's name, without its ending. */
  readonly name: string;
  readonly file: string;
  readonly pipeline: Pipeline;
  /** Relative to the project root. */
  readonly recordings: string;
  readonly input?: string;
  readonly status: Expected<"passed" | "failed">;
  readonly steps: readonly ExpectedStep[];
  /** The place of `snapshot`. */
  readonly snapshot?: Origin;
}

export interface ExpectedStep {
  readonly id: string;
  readonly status?: Expected<string>;
  readonly attempts?: Expected<number>;
  readonly failure?: Expected<string>;
  /** Contract → verdict. */
  readonly verdicts: readonly (Expected<string> & { readonly contract: string })[];
  readonly artifacts: readonly ExpectedArtifact[];
  readonly changes?: Expected<readonly string[]>;
}

export type ExpectedArtifact = { readonly artifact: string; readonly origin: Origin } & (
  | { readonly text: string }
  | { readonly path: string; readonly value: JsonValue }
);

/** The reproducible part of a run's result, as stored in snapshots. */
export interface ObservedRun {
  readonly status: string;
  readonly steps: Readonly<Record<string, ObservedStep>>;
}

export interface ObservedStep {
  readonly status: string;
  /** The reason of its failure. */
  readonly failure?: string;
  readonly attempts: readonly ObservedAttempt[];
  readonly artifacts: Readonly<Record<string, ObservedArtifact>>;
  /** Path → kind of change. */
  readonly changes: Readonly<Record<string, string>>;
}

export interface ObservedAttempt {
  readonly status: string;
  readonly failure?: string;
  /** Contract → verdict. */
  readonly verdicts: Readonly<Record<string, string>>;
}

/** Short JSON as `json`, other short text as `text`, everything else as its digest only. */
export interface ObservedArtifact {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly json?: JsonValue;
  readonly text?: string;
}

/** A difference from the expected result. */
export interface Mismatch {
  /** One sentence without a full stop. */
  readonly message: string;
  readonly origin: Origin;
  readonly expected?: JsonValue;
  /** Undefined if there is none. */
  readonly actual?: JsonValue;
}

/** How a test ended. */
export interface TestResult {
  readonly test: Pick<PipelineTest, "name" | "file"> & { readonly pipeline: string };
  readonly mismatches: readonly Mismatch[];
  /** Why steps failed, if the run ended differently than expected. */
  readonly failures: readonly { readonly step: string; readonly attempt?: number; readonly failure: Failure }[];
  /** Why there is no result. */
  readonly error?: Failure;
  readonly snapshot: "none" | "same" | "written" | "different";
  readonly durationMs: number;
}
