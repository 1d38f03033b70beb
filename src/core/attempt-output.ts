/** The log and the artifacts of an attempt, as the executor sees them. Types only. */
import type { Step } from "./pipeline.ts";
import type { OutputLog, Workspace } from "./ports.ts";
import type { Result } from "./result.ts";

/** An open log. `close` writes buffered output and returns the file; `size` is in bytes. If it is 0, there is no file. */
export interface AttemptLog extends OutputLog {
  close(): Promise<Result<{ readonly path: string; readonly size: number }>>;
}

/** An ended attempt whose artifacts are stored. */
export interface CollectRequest {
  readonly step: Step;
  readonly workspace: Workspace;
  readonly finalMessage?: string;
  /** A final message that repeats the prompt is not an artifact. */
  readonly prompt: string;
}
