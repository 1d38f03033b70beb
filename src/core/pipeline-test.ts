/** Tests of pipelines, read and resolved, and what came of a run that they look at. */
import type { Digest } from "./digest.ts";
import type { Origin } from "./document.ts";
import type { Failure } from "./failure.ts";
import type { JsonValue } from "./json.ts";
import type { Pipeline } from "./pipeline.ts";

/** A value that is expected, and where that is written. */
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
  /** Where snapshots are asked for. */
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

/** What came of a run, without what differs between two runs that did the same. It is what a snapshot holds. */
export interface ObservedRun {
  readonly status: string;
  readonly steps: Readonly<Record<string, ObservedStep>>;
}

export interface ObservedStep {
  readonly status: string;
  /** The reason of the failure that it ended with. */
  readonly failure?: string;
  readonly attempts: readonly ObservedAttempt[];
  readonly artifacts: Readonly<Record<string, ObservedArtifact>>;
  /** Path → what happened to it. */
  readonly changes: Readonly<Record<string, string>>;
}

export interface ObservedAttempt {
  readonly status: string;
  readonly failure?: string;
  /** Contract → verdict. */
  readonly verdicts: Readonly<Record<string, string>>;
}

/** `json` where it is JSON and short, `text` where it is text and short, else only its digest. */
export interface ObservedArtifact {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly json?: JsonValue;
  readonly text?: string;
}

/** Something that is not as it was to be. */
export interface Mismatch {
  /** One sentence without a full stop. */
  readonly message: string;
  readonly origin: Origin;
  readonly expected?: JsonValue;
  /** Absent: there is nothing. */
  readonly actual?: JsonValue;
}

/** How a test ended. */
export interface TestResult {
  readonly test: Pick<PipelineTest, "name" | "file"> & { readonly pipeline: string };
  readonly mismatches: readonly Mismatch[];
  /** Why the steps at fault failed, where the run did not end as it was to. */
  readonly failures: readonly { readonly step: string; readonly attempt?: number; readonly failure: Failure }[];
  /** Why nothing could be told. */
  readonly error?: Failure;
  readonly snapshot: "none" | "same" | "written" | "different";
  readonly durationMs: number;
}
