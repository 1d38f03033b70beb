/** Feedback to an attempt about the previous one. */
import type { Failure } from "./failure.ts";

/** Why the previous attempt failed: a section of the next prompt. */
export interface Feedback {
  /** The number of the attempt that failed. */
  readonly attempt: number;
  /** For a failed contract, with violations and their locations. */
  readonly failure: Failure;
  /** The end of the attempt's output, redacted. */
  readonly tail?: string;
}
