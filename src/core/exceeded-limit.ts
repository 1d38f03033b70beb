/** Limits on evaluations, and their words. */
import { formatDuration, formatSize } from "../text/quantity.ts";

/** A limit that an evaluation exceeded: `max` and `actual` are milliseconds for `time`, bytes otherwise. */
export interface ExceededLimit {
  readonly what: "time" | "memory" | "size";
  readonly max: number;
  /** Known for `size` only. */
  readonly actual?: number;
}

/** The limit in words, after a colon: `it took longer than the limit of 10s`. */
export function describeExceeded({ what, max, actual }: ExceededLimit): string {
  switch (what) {
    case "time":
      return `it took longer than the limit of ${formatDuration(max)}`;
    case "memory":
      return `it needs more memory than the limit of ${formatSize(max)}`;
    case "size":
      return `it has ${formatSize(actual ?? max)}, more than the limit of ${formatSize(max)}`;
  }
}
