/** The samples and resets in events that circuit breakers count, and the window of them. Pure. */
import type { EventOf } from "../core/event.ts";
import type { BreakerSample } from "../core/state.ts";
import type { ResetFold, SampleFold } from "./run-fold.ts";

/** A point in a breaker's history, with its run. */
export type InRun<T> = T & { readonly run: string };

/** A verdict as a sample. Undefined if the check counts for no breaker or could not be evaluated. */
export function sampleOf({ breaker, result, ts, clock }: EventOf<"contract-checked">): SampleFold | undefined {
  return breaker === undefined || result.verdict === "error" ? undefined : { breaker, failed: result.verdict === "fail", at: ts, clock };
}

export function resetOf({ breaker, ts, clock }: EventOf<"circuit-reset">): ResetFold {
  return { breaker, at: ts, clock };
}

/** Compares for newest first: by Lamport clock within a run, by time of day between runs. */
export function newestFirst(
  a: InRun<{ readonly at: string; readonly clock: number }>,
  b: InRun<{ readonly at: string; readonly clock: number }>,
): number {
  if (a.run === b.run) return b.clock - a.clock;
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  return a.run < b.run ? 1 : -1;
}

/** The newest `size` samples since the last reset, newest first. */
export function windowOf(
  samples: readonly InRun<SampleFold>[],
  resets: readonly InRun<ResetFold>[],
  size: number,
): readonly BreakerSample[] {
  const [reset] = resets.toSorted(newestFirst);
  return samples
    .filter((sample) => reset === undefined || newestFirst(sample, reset) < 0)
    .sort(newestFirst)
    .slice(0, size)
    .map(({ failed, at }) => ({ failed, at }));
}
