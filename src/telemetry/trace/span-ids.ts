/** Derives span ids from the run id, so that a run always has the same spans and runs can link to each other. Pure. */
import { digestOfBytes } from "../../core/digest.ts";
import type { TraceParent } from "../../core/traceparent.ts";

/** The trace id of a run without an outer trace. */
export function traceIdOf(run: string): string {
  return hexOf(["trace", run], 32);
}

export function spanId(run: string, ...words: readonly string[]): string {
  return hexOf(["span", run, ...words], 16);
}

/** `nth`: index among attempts with the same number, which concurrent processes can produce. */
export function attemptSpanId(run: string, step: string, attempt: number, nth: number): string {
  return spanId(run, "attempt", step, String(attempt), ...(nth === 0 ? [] : [String(nth)]));
}

/** The span of an attempt that starts now. */
export function attemptSpan(run: string, step: string, attempt: number, parent: TraceParent | undefined): TraceParent {
  return { traceId: parent?.traceId ?? traceIdOf(run), spanId: attemptSpanId(run, step, attempt, 0) };
}

function hexOf(words: readonly string[], digits: number): string {
  return digestOfBytes(`wave\0${words.join("\0")}`).slice("sha256:".length, "sha256:".length + digits);
}
