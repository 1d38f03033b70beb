/** Metrics as families of samples, independent of how they are printed; the shapes are those of Prometheus. */

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Labels;
  /** Upper bounds, ascending, each with how many values are at most so large. The last, unbounded one is `count`. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  readonly sum: number;
  readonly count: number;
}

/** One metric. Every set of labels is there once. */
export type MetricFamily =
  | { readonly name: string; readonly help: string; readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] }
  | { readonly name: string; readonly help: string; readonly type: "histogram"; readonly samples: readonly HistogramSample[] };

/** Seconds: from scripts that end at once to agents that work for hours. */
export const durationBounds: readonly number[] = [0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200];

/** Adds to the sample with these labels: one, or what is given. */
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
      // Sums of fractions have digits that were never measured.
      else sample.value = Math.round((sample.value + by) * 1e6) / 1e6;
    },
    samples: () => sorted(counts),
  };
}

/** Takes values in seconds. */
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
        // Sums of fractions have digits that were never measured.
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
