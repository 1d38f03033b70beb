/** Histories of runs that several processes wrote, one after the other or at once; also random ones. */

import type { EventPayload, WaveEvent } from "../../src/core/event.ts";
import { artifact, digest } from "./plan-fixtures.ts";
import fc from "./property.ts";
import { attemptPassed, attemptStarted, begin, fingerprint, result, started } from "./run-events.ts";

const opened = (pid: number): EventPayload => ({
  type: "writer-opened",
  pid,
  processStart: "1",
  host: "box",
  wave: "0.0.0",
  node: "v20",
  platform: "linux-x64",
});
export const closed: EventPayload = { type: "writer-closed", head: "" };
export const resumed: EventPayload = { type: "run-resumed", concurrency: 4, onFailure: "stop" };
/** A list of changes that can be told from others by a word. */
export const changesRef = (word: string) => ({ digest: digest(word), added: 1, changed: 0, deleted: 0 });
export const rolledBack = (to: string, steps: string[], isApplied = false): EventPayload => ({
  type: "steps-rolled-back",
  to,
  steps,
  ...(isApplied ? { changes: changesRef("kept"), tree: digest("kept tree") } : {}),
});
/** The run goes on with other steps: id → what it depends on. */
export const redefined = (steps: Readonly<Record<string, readonly string[]>>): EventPayload => {
  const begun = started(steps);
  if (begun.type !== "run-started") throw new Error("not a start");
  return { type: "run-resumed", concurrency: 4, onFailure: "stop", update: { manifest: digest("other manifest"), nodes: begun.nodes } };
};
export const failed = (step: string, attempt: number, retry?: number): EventPayload => ({
  type: "attempt-failed",
  step,
  attempt,
  durationMs: 10,
  failure: { reason: "empty-output", detail: "nothing" },
  artifacts: [],
  ...(retry === undefined ? {} : { retry: { attempt: retry, delayMs: 5 } }),
});
export const finished = (status: "passed" | "failed" | "cancelled", durationMs = 100): EventPayload => ({
  type: "run-finished",
  status,
  durationMs,
  tree: digest("after"),
});

/** Journals one after the other: each is a process, whose pid is its number; a second of time goes by with each event. */
export function journals(...writers: readonly (readonly EventPayload[])[]): WaveEvent[] {
  let clock = 0;
  return writers.flatMap((payloads, index) =>
    [opened(index + 1), ...payloads].map((payload, at): WaveEvent => {
      clock++;
      const ts = new Date(begin + clock * 1000).toISOString();
      return { v: 2, run: "3f9a", writer: `w${index + 1}`, seq: at + 1, clock, ts, ...payload, prev: "", hash: "" };
    }),
  );
}

const attempts = ["a", "b"].flatMap((step) =>
  [1, 2, 3].flatMap((attempt) => [attemptStarted(step, attempt), attemptPassed(step, attempt)]),
);
const check = (verdict: "pass" | "fail" | "error"): EventPayload => ({
  type: "contract-checked",
  step: "a",
  attempt: 1,
  result: result("shape", {
    verdict,
    tail: "the end",
    violations: [{ message: "no" }, { message: "no", pointer: "/x", rule: "type", location: { file: "a.json", line: 2, column: 3 } }],
  }),
  breaker: "k",
});

/** One event of a run with the steps `a` and `b`. */
export const payload = fc.constantFrom<EventPayload>(
  ...attempts,
  failed("a", 1),
  failed("b", 1, 2),
  failed("a", 2, 3),
  check("pass"),
  check("fail"),
  check("error"),
  {
    type: "attempt-passed",
    step: "a",
    attempt: 1,
    durationMs: 3,
    artifacts: [artifact("out", "bytes"), artifact("log", "lines")],
    log: digest("log"),
  },
  { type: "step-reused", step: "b", from: { run: "older", attempt: 2 }, fingerprint, artifacts: [artifact("out", "bytes")] },
  { type: "step-finished", step: "a", status: "failed", attempt: 1, failure: { reason: "empty-output", detail: "nothing" } },
  { type: "step-finished", step: "b", status: "skipped", because: "it waited" },
  { type: "attempt-cancelled", step: "a", attempt: 1, durationMs: 3 },
  { type: "circuit-reset", breaker: "k" },
  resumed,
  rolledBack("a", ["b"]),
  rolledBack("a", ["b"], true),
  { ...resumed, again: ["a", "b"] } as EventPayload,
  { ...resumed, again: ["b"], skip: ["a"] } as EventPayload,
  redefined({ b: [], a: ["b"], c: ["a"] }),
  redefined({ b: [] }),
  { type: "step-reopened", step: "a", because: "its dependencies have changed" },
  { type: "changes-merged", changes: changesRef("merged"), apply: true },
  { type: "changes-applied", changes: changesRef("merged") },
  { type: "rollback-started", steps: [] },
  { type: "rollback-started", to: "a", steps: ["b"], changes: changesRef("merged") },
  { type: "changes-undone", changes: changesRef("merged") },
  finished("failed"),
  finished("passed"),
  closed,
);

/** Events of up to three writers whose clocks overlap, as those of writers at the same time do. */
export const history: fc.Arbitrary<WaveEvent[]> = fc
  .tuple(
    fc.array(fc.array(payload, { maxLength: 12 }), { minLength: 1, maxLength: 3 }),
    fc.array(fc.nat({ max: 9 }), { minLength: 3, maxLength: 3 }),
  )
  .map(([[first = [], ...others], offsets]) =>
    journals([started({ a: [], b: ["a"] }), ...first], ...others).map((event) => ({
      ...event,
      clock: event.seq + (offsets[Number(event.writer.slice(1)) - 1] ?? 0),
    })),
  );

/** A history, and the same events in any order, each twice. */
export const shuffledHistory: fc.Arbitrary<[WaveEvent[], WaveEvent[]]> = history.chain((events) =>
  fc.tuple(
    fc.constant(events),
    fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2, maxLength: events.length * 2 }),
  ),
);
