/** A thread for tests of the worker pool: calls that answer, throw, never end, fill memory or end the thread. */
import { serveCalls } from "../../src/platform/worker-calls.ts";

let served = 0;

const calls: Readonly<Record<string, (input: never, shared: never) => unknown>> = {
  echo: (input) => input,
  /** How many calls this thread has served, and the shared value with its number of arrivals. */
  count: () => ++served,
  size: (_, shared: ReadonlyMap<string, string>) => shared.size,
  same: (_, shared: { seen?: number }) => {
    shared.seen = (shared.seen ?? 0) + 1;
    return shared.seen;
  },
  environment: () => ({ ...process.env }),
  throws: () => {
    throw new Error("thrown on purpose");
  },
  spin: () => {
    for (;;);
  },
  backtrack: () => /^(a+)+\1$/.test(`${"a".repeat(40)}!`),
  heap: () => {
    const kept: unknown[] = [];
    for (;;) kept.push({ length: kept.length });
  },
  buffers: () => {
    const kept: Uint8Array[] = [];
    for (;;) kept.push(new Uint8Array(1e7).fill(1));
  },
  exit: () => process.exit(3),
  crash: () => {
    setTimeout(() => {
      throw new Error("crashed on purpose");
    });
    return new Promise(() => {});
  },
};

serveCalls(Object.fromEntries(Object.entries(calls).map(([name, work]) => [name, async () => work])));
