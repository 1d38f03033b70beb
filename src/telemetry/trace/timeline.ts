/** Draws bars on a time axis that omits times without a running process. Pure. */
import type { Span, Trace } from "./trace.ts";

export interface Timeline {
  /** Time with at least one process, in milliseconds. */
  readonly workedMs: number;
  /** A bar of exactly `width` characters at most: `wait` up to the span, `fill` over it. */
  readonly bar: (span: Span, waitMs: number, fill: string) => { readonly lead: string; readonly wait: string; readonly fill: string };
}

/** The axis of a trace, `width` characters long. */
export function timelineOf(trace: Trace, width: number): Timeline {
  const worked = unionOf(trace.processes.length === 0 ? [trace] : trace.processes);
  const axis = (ms: number) => worked.reduce((sum, { startMs, endMs }) => sum + Math.max(0, Math.min(ms, endMs) - startMs), 0);
  const workedMs = axis(Number.POSITIVE_INFINITY);
  const column = (ms: number) => (workedMs === 0 ? 0 : (axis(ms) / workedMs) * width);
  return {
    workedMs,
    bar: ({ startMs, endMs }, waitMs, fill) => {
      const from = Math.min(width - 1, Math.floor(column(startMs)));
      const to = Math.min(width, Math.max(from + 1, Math.ceil(column(endMs) - 1e-9)));
      const ready = Math.min(from, Math.round(column(startMs - waitMs)));
      return { lead: " ".repeat(ready), wait: "·".repeat(from - ready), fill: fill.repeat(to - from) };
    },
  };
}

/** Merges overlapping spans. Sorted. */
function unionOf(spans: readonly Span[]): Span[] {
  const union: { startMs: number; endMs: number }[] = [];
  for (const { startMs, endMs } of [...spans].sort((a, b) => a.startMs - b.startMs)) {
    const last = union.at(-1);
    if (last !== undefined && startMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else union.push({ startMs, endMs });
  }
  return union;
}
