/** Traces of histories: what waits, what is critical, and what a killed, resumed or unfinished run looks like. */

import { describe, expect, it } from "vitest";
import type { EventPayload, WaveEvent } from "../../../../src/core/event.ts";
import { projectRun } from "../../../../src/store/project-run.ts";
import { buildTrace } from "../../../../src/telemetry/trace/build-trace.ts";
import { criticalPath } from "../../../../src/telemetry/trace/critical-path.ts";
import { renderTrace } from "../../../../src/telemetry/trace/render-trace.ts";
import type { Span, Trace } from "../../../../src/telemetry/trace/trace.ts";
import { artifact } from "../../../rig/plan-fixtures.ts";
import fc from "../../../rig/property.ts";
import { attemptPassed, attemptStarted, begin, events, fingerprint, type Moment, result, started } from "../../../rig/run-events.ts";
import { closed, failed, finished, history, journals, resumed } from "../../../rig/run-histories.ts";

function traceOf(all: readonly WaveEvent[], { alive = false, now = begin } = {}): Trace {
  const run = projectRun(all, () => alive);
  if (run === undefined) throw new Error("the run never started");
  return buildTrace({ run, events: all, now });
}

const opened: EventPayload = {
  ...{ type: "writer-opened", pid: 7, processStart: "1", host: "box" },
  ...{ wave: "0.0.0", node: "v20", platform: "linux-x64" },
};
/** One process that starts a run of these steps at 10 ms. */
const run = (steps: Readonly<Record<string, readonly string[]>>, ...moments: readonly Moment[]) =>
  events([0, opened], [10, started(steps)], ...moments);
const ended = (step: string, status: "passed" | "failed" | "skipped" = "passed"): EventPayload => ({ type: "step-finished", step, status });
const stepOf = (trace: Trace, id: string) => trace.steps.find((step) => step.id === id);

describe("waits", () => {
  const trace = traceOf(
    run(
      { a: [], b: [], c: ["a", "b"] },
      [15, attemptStarted("a")],
      [15, attemptStarted("b")],
      [115, attemptPassed("a", 1, 100)],
      [115, ended("a")],
      [215, { ...failed("b", 1, 2), durationMs: 200 } as EventPayload],
      [235, attemptStarted("b", 2)],
      [335, attemptPassed("b", 2, 100)],
      [335, ended("b")],
      [365, attemptStarted("c")],
      [465, attemptPassed("c", 1, 100)],
      [465, ended("c")],
      [470, finished("passed")],
      [471, closed],
    ),
  );

  it("count from the run's start, the last step upstream, or the failed attempt", () => {
    expect(stepOf(trace, "a")?.attempts).toMatchObject([{ startMs: 15, endMs: 115, waitMs: 5, waitedFor: "start" }]);
    expect(stepOf(trace, "b")?.attempts[1]).toMatchObject({ startMs: 235, waitMs: 20, waitedFor: "retry", delayMs: 5 });
    expect(stepOf(trace, "c")?.attempts).toMatchObject([{ startMs: 365, waitMs: 30, waitedFor: "dependency", after: "b" }]);
  });

  it("and durations make the critical path, delays included", () => {
    expect(trace.criticalPath).toEqual({ steps: ["b", "c"], durationMs: 405 });
    expect(trace.steps.map(({ critical }) => critical)).toEqual([false, true, true]);
    expect(trace).toMatchObject({ startMs: 0, endMs: 471, status: "passed" });
  });

  it("an input without a dependency is upstream too", () => {
    const input = { name: "in", digest: artifact("x").digest, from: "a" };
    const begun = { ...attemptStarted("b"), inputs: [input] } as EventPayload;
    const { steps } = traceOf(run({ a: [], b: [] }, [20, attemptStarted("a")], [50, attemptPassed("a", 1, 30)], [60, begun]));
    expect(steps[1]).toMatchObject({ dependencies: ["a"], attempts: [{ waitMs: 10, after: "a" }] });
  });
});

describe("what did not end in order", () => {
  const killed = [started({ a: [], b: ["a"] }), attemptStarted("a")];

  it("an interrupted attempt lasts until its process was last heard of, and a resume starts the wait anew", () => {
    const all = journals([...killed, attemptStarted("b")], [resumed, attemptStarted("a", 2), attemptPassed("a", 2), closed]);
    const trace = traceOf(all);
    expect(stepOf(trace, "a")?.attempts).toMatchObject([
      { status: "interrupted", startMs: 2000, endMs: 3000, writer: "w1" },
      { status: "passed", startMs: 6000, waitMs: 1000, waitedFor: "start", writer: "w2" },
    ]);
    expect(trace.processes).toMatchObject([
      { role: "began", closed: false, startMs: 0, endMs: 3000 },
      { role: "resumed", closed: true },
    ]);
  });

  it("an attempt that goes on lasts until now", () => {
    const all = journals(killed);
    const trace = traceOf(all, { alive: true, now: begin + 61_000 });
    expect(trace.status).toBe("running");
    expect(stepOf(trace, "a")?.attempts).toMatchObject([{ status: "running", startMs: 2000, endMs: 60_000 }]);
    expect(trace.endMs).toBe(60_000);
  });

  it("skipped, cancelled and reused steps have no attempts, and say why", () => {
    const reused: EventPayload = { type: "step-reused", step: "a", from: { run: "older", attempt: 2 }, fingerprint, artifacts: [] };
    const skipped: EventPayload = { type: "step-finished", step: "b", status: "skipped", because: "left out" };
    const trace = traceOf(journals([started({ a: [], b: [], c: [] }), reused, ended("a"), skipped, finished("failed")]));
    expect(stepOf(trace, "a")).toMatchObject({ reusedFrom: { run: "older", attempt: 2 }, startMs: 2000, endMs: 2000, attempts: [] });
    expect(stepOf(trace, "b")).toMatchObject({ status: "skipped", because: "left out" });
    expect(stepOf(trace, "c")).not.toHaveProperty("startMs");
    const text = renderTrace(trace, { color: false, columns: 80 });
    expect(text).toContain("✓ a  reused from run older, attempt 2\n");
    expect(text).toContain("↷ b  left out\n");
    expect(text).toContain("○ c  pending\n");
  });

  it("work that was judged again says whose it was", () => {
    const origin = { run: "older", attempt: 3 };
    const reused: EventPayload = { type: "step-reused", step: "a", from: origin, fingerprint, artifacts: [] };
    const trace = traceOf(journals([started({ a: [] }), attemptStarted("a"), attemptPassed("a"), reused, ended("a")]));
    expect(stepOf(trace, "a")?.attempts).toMatchObject([{ status: "passed", rechecked: origin }]);
    expect(stepOf(trace, "a")).not.toHaveProperty("reusedFrom");
  });

  it("a run without journals has its steps and no times", () => {
    const all = journals([started({ a: [] }), attemptStarted("a"), attemptPassed("a"), ended("a"), finished("passed"), closed]);
    const record = projectRun(all, () => false);
    if (record === undefined) throw new Error("no record");
    const trace = buildTrace({ run: record, events: [], now: begin });
    expect(trace).toMatchObject({ startedAt: record.startedAt, endMs: 0, processes: [], steps: [{ id: "a", attempts: [] }] });
    expect(renderTrace(trace, { color: false, columns: 80 })).toContain("its journals no longer exist");
  });
});

describe("any history", () => {
  const shifted = fc.tuple(history, fc.array(fc.integer({ min: -9000, max: 9000 }), { minLength: 3, maxLength: 3 }), fc.boolean());
  /** Clocks of the machines that wrote it may differ. */
  const skew = (all: readonly WaveEvent[], by: readonly number[]) =>
    all.map((event) => ({ ...event, ts: new Date(Date.parse(event.ts) + (by[Number(event.writer.slice(1)) - 1] ?? 0)).toISOString() }));

  it("has no negative offset, and every part lies within the one above it", () => {
    fc.assert(
      fc.property(shifted, ([all, by, alive]) => {
        const trace = traceOf([...skew(all, by)], { alive, now: begin + 120_000 });
        for (const step of trace.steps) {
          expect(step.waitMs).toBeGreaterThanOrEqual(0);
          if (step.startMs === undefined || step.endMs === undefined) continue;
          const span = { startMs: step.startMs, endMs: step.endMs };
          within(span, trace);
          for (const attempt of step.attempts) {
            within(attempt, span);
            const process = trace.processes.find(({ writer }) => writer === attempt.writer);
            if (process !== undefined) expect(attempt.endMs).toBeLessThanOrEqual(process.endMs);
            for (const check of attempt.checks) within(check, attempt);
          }
        }
        for (const process of trace.processes) within(process, trace);
      }),
    );
  });

  it("fits the terminal, line by line, and has no colour unless it is asked for", () => {
    fc.assert(
      fc.property(shifted, fc.integer({ min: 40, max: 160 }), ([all, by, alive], columns) => {
        const trace = traceOf([...skew(all, by)], { alive, now: begin + 120_000 });
        const text = renderTrace(trace, { color: false, columns });
        expect(text).not.toContain("\u001b");
        for (const line of text.split("\n")) expect([...line].length, line).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

function within(inner: Span, outer: Span): void {
  expect(outer.startMs).toBeGreaterThanOrEqual(0);
  expect(inner.startMs).toBeGreaterThanOrEqual(outer.startMs);
  expect(inner.endMs).toBeGreaterThanOrEqual(inner.startMs);
  expect(inner.endMs).toBeLessThanOrEqual(outer.endMs);
}

describe("the text", () => {
  const all = run(
    { "a\u001b[31m": [], b: ["a\u001b[31m"] },
    [10, attemptStarted("a\u001b[31m")],
    [1010, { type: "contract-checked", step: "a\u001b[31m", attempt: 1, result: result("shape", { durationMs: 100 }) }],
    [1010, attemptPassed("a\u001b[31m", 1, 1000)],
    [1010, attemptStarted("b")],
    [2010, attemptPassed("b", 1, 1000)],
    [2010, finished("passed")],
    [2010, closed],
  );

  it("draws bars to scale, the critical ones darker", () => {
    const text = renderTrace(traceOf(all), { color: false, columns: 21 + 24 + 1 + 20 });
    const bars = text.split("\n").flatMap((line) => /[█▒·]+$/.exec(line)?.[0] ?? []);
    expect(bars).toEqual(["█".repeat(11), "█".repeat(11), "██", "█".repeat(10), "█".repeat(10)]);
    expect(text).not.toContain("\u001b");
  });

  it("is coloured on demand, and leaves bars out where there is no room", () => {
    expect(renderTrace(traceOf(all), { color: true, columns: 80 })).toContain("\u001b[32m✓");
    expect(renderTrace(traceOf(all), { color: false, columns: 44 })).not.toMatch(/[█▒]/);
  });
});

describe("criticalPath", () => {
  it("is the heaviest chain; what took no time is not on it", () => {
    const step = (id: string, weight: number, ...dependencies: string[]) => ({ id, weight, dependencies });
    expect(criticalPath([step("a", 5), step("b", 0, "a"), step("c", 3, "b"), step("d", 7)])).toEqual({ steps: ["a", "c"], durationMs: 8 });
    expect(criticalPath([step("a", 0), step("b", 0, "a")])).toEqual({ steps: [], durationMs: 0 });
    expect(criticalPath([step("b", 1, "gone")])).toEqual({ steps: ["b"], durationMs: 1 });
  });

  it("takes a chain of 10,000 steps", () => {
    const chain = Array.from({ length: 10_000 }, (_, at) => ({ id: `s${at}`, weight: 1, dependencies: at === 0 ? [] : [`s${at - 1}`] }));
    expect(criticalPath(chain).steps).toHaveLength(10_000);
  });
});
