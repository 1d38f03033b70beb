/** What an attempt is told about the one before it. */
import type { Failure } from "./failure.ts";

/** Why the previous attempt did not pass: a section of the next attempt's prompt. */
export interface Feedback {
  /** The number of the attempt that failed. */
  readonly attempt: number;
  /** With the violations and their locations, where a contract failed. */
  readonly failure: Failure;
  /** The end of what the attempt printed, scrubbed. */
  readonly tail?: string;
}
