/** Limits on evaluations, and their description. */
import { formatDuration, formatSize, formatSizes } from "../text/quantity.ts";

/** A limit that an evaluation exceeded: `max` and `actual` are milliseconds for `time`, bytes otherwise. */
export interface ExceededLimit {
  readonly what: "time" | "memory" | "size";
  readonly max: number;
  /** Known for `size` only. */
  readonly actual?: number;
}

/** A clause: `it took longer than the limit of 10s`. */
export function describeExceeded({ what, max, actual }: ExceededLimit): string {
  switch (what) {
    case "time":
      return `it took longer than the limit of ${formatDuration(max)}`;
    case "memory":
      return `it needed more memory than the limit of ${formatSize(max)}`;
    case "size": {
      const [size, limit] = formatSizes(actual ?? max, max);
      return `it has ${size}, more than the limit of ${limit}`;
    }
  }
}
