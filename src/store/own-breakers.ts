/** Collects the breaker samples of this process's own events, so that querying a breaker need not fold the current run. */
import type { WaveEvent } from "../core/event.ts";
import type { Journal } from "../core/ports.ts";
import { type InRun, resetOf, sampleOf } from "./breaker-samples.ts";
import type { OwnSamples } from "./query-state.ts";
import type { ResetFold, SampleFold } from "./run-fold.ts";

export interface OwnBreakers {
  /** Wraps a journal to collect its samples; `before` are the run's events so far. Returns the journal to write to. */
  follow(journal: Journal, before: readonly WaveEvent[]): Journal;
  /** The run is no longer written; its samples are in the tables now. */
  forget(run: string): void;
  all(): OwnSamples;
}

/** Empty at first. */
export function ownBreakers(): OwnBreakers {
  const runs = new Map<string, { samples: InRun<SampleFold>[]; resets: InRun<ResetFold>[] }>();
  const collect = (run: string, events: readonly WaveEvent[]) => {
    const known = runs.get(run);
    for (const event of known === undefined ? [] : events) {
      if (event.type === "circuit-reset") known?.resets.push({ ...resetOf(event), run });
      if (event.type !== "contract-checked") continue;
      const sample = sampleOf(event);
      if (sample !== undefined) known?.samples.push({ ...sample, run });
    }
  };
  return {
    follow(journal, before) {
      runs.set(journal.runId, { samples: [], resets: [] });
      collect(journal.runId, before);
      return {
        ...journal,
        async append(payloads) {
          const appended = await journal.append(payloads);
          if (appended.ok) collect(journal.runId, appended.value);
          return appended;
        },
      };
    },
    forget: (run) => void runs.delete(run),
    all: () => ({
      runs: new Set(runs.keys()),
      samples: [...runs.values()].flatMap((run) => run.samples),
      resets: [...runs.values()].flatMap((run) => run.resets),
    }),
  };
}
