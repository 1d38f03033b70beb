/** Collects metrics as families of samples, in the shapes of Prometheus. Does not format them. */

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Labels;
  /** Upper bounds, ascending, each with the number of values up to it. The last, unbounded one is `count`. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  readonly sum: number;
  readonly count: number;
}

/** One metric. Each set of labels has one sample. */
export type MetricFamily =
  | { readonly name: string; readonly help: string; readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] }
  | { readonly name: string; readonly help: string; readonly type: "histogram"; readonly samples: readonly HistogramSample[] };

/** Seconds, from short scripts to agents that run for hours. */
export const durationBounds: readonly number[] = [0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200];

/** Adds `by` to the sample with these labels. Defaults to 1. */
export interface Counter {
  readonly add: (labels: Labels, by?: number) => void;
  readonly samples: () => readonly Sample[];
}

/** A counter without samples. */
export function counter(): Counter {
  const counts = new Map<string, { labels: Labels; value: number }>();
  return {
    add: (labels, by = 1) => {
      const key = keyOf(labels);
      const sample = counts.get(key);
      if (sample === undefined) counts.set(key, { labels, value: by });
      // Rounds away the error of floating-point sums.
      else sample.value = Math.round((sample.value + by) * 1e6) / 1e6;
    },
    samples: () => sorted(counts),
  };
}

/** Values are in seconds. */
export interface Histogram {
  readonly observe: (labels: Labels, value: number) => void;
  readonly samples: () => readonly HistogramSample[];
}

/** A histogram without samples. */
export function histogram(bounds: readonly number[] = durationBounds): Histogram {
  const series = new Map<string, { labels: Labels; counts: number[]; sum: number; count: number }>();
  return {
    observe: (labels, value) => {
      const key = keyOf(labels);
      const one = series.get(key) ?? { labels, counts: bounds.map(() => 0), sum: 0, count: 0 };
      series.set(key, one);
      for (const [index, le] of bounds.entries()) if (value <= le) one.counts[index] = (one.counts[index] ?? 0) + 1;
      one.sum += value;
      one.count++;
    },
    samples: () =>
      sorted(series).map(({ labels, counts, sum, count }) => {
        // Rounds away the error of floating-point sums.
        const rounded = Math.round(sum * 1e6) / 1e6;
        return { labels, buckets: bounds.map((le, index) => ({ le, count: counts[index] ?? 0 })), sum: rounded, count };
      }),
  };
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels));
}

function sorted<T>(samples: ReadonlyMap<string, T>): T[] {
  return [...samples].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, sample]) => sample);
}
