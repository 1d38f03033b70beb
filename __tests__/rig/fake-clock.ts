/** A clock that the test moves. */
import type { Clock } from "../../src/core/ports.ts";

export interface FakeClock extends Clock {
  /** Every wait that was asked for, in milliseconds. */
  readonly waits: readonly number[];
  /** Lets time pass; sleeps that are over resolve. */
  advance(ms: number): void;
  /** Resolves once somebody sleeps; at once when somebody does. */
  asleep(): Promise<void>;
}

/** `patient: false`: every sleep is over at once, and time passes by as much. */
export function fakeClock(options: { readonly patient: boolean } = { patient: false }): FakeClock {
  let time = 0;
  const waits: number[] = [];
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  const watchers: (() => void)[] = [];
  const advance = (ms: number) => {
    time += ms;
    for (const sleeper of [...sleepers]) if (sleeper.until <= time) sleeper.wake();
  };
  return {
    waits,
    advance,
    now: () => Date.parse("2026-01-01T00:00:00.000Z") + time,
    monotonic: () => time,
    asleep: () => (sleepers.size > 0 ? Promise.resolve() : new Promise((resolve) => watchers.push(resolve))),
    sleep(ms, signal) {
      if (signal?.aborted === true) return Promise.resolve();
      waits.push(ms);
      if (!options.patient) {
        advance(ms);
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const sleeper = {
          until: time + ms,
          wake() {
            sleepers.delete(sleeper);
            signal?.removeEventListener("abort", sleeper.wake);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", sleeper.wake);
        for (const watcher of watchers.splice(0)) watcher();
      });
    },
  };
}
