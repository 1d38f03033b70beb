import { describe, expect, test } from "vitest";
import type { EventPayload, WaveEvent } from "../../../src/core/event.ts";
import { foldRun } from "../../../src/store/fold-run.ts";
import { projectRun } from "../../../src/store/project-run.ts";
import { artifact, digest } from "../../rig/plan-fixtures.ts";
import fc from "../../rig/property.ts";
import { attemptPassed, attemptStarted, fingerprint, result, started } from "../../rig/run-events.ts";
import { closed, failed, finished, journals, resumed, shuffledHistory } from "../../rig/run-histories.ts";

const nobody = () => false;
const everybody = () => true;

/** The run's status, and each step with its attempts. */
function outline(events: readonly WaveEvent[], isAlive: (writer: { pid: number }) => boolean) {
  const run = projectRun(events, isAlive);
  return (
    run && [run.status, ...run.steps.map((step) => [step.id, step.status, ...step.attempts.map((one) => `${one.attempt} ${one.status}`)])]
  );
}

describe("a run that never started", () => {
  test("has no record", () => expect(projectRun(journals([closed]), everybody)).toBeUndefined());
});

describe("an unfinished run", () => {
  const begun = journals([started({ a: [], b: ["a"] }), attemptStarted("a")]);

  test("has a running attempt while its process is alive", () => {
    expect(outline(begun, everybody)).toEqual(["running", ["a", "running", "1 running"], ["b", "pending"]]);
  });

  test("has an interrupted attempt and a pending step once its process is dead", () => {
    expect(outline(begun, nobody)).toEqual(["interrupted", ["a", "pending", "1 interrupted"], ["b", "pending"]]);
  });

  test("is interrupted even if its process closed the journal", () => {
    const events = journals([started({ a: [] }), attemptStarted("a"), closed]);
    expect(outline(events, everybody)).toEqual(["interrupted", ["a", "pending", "1 interrupted"]]);
  });

  test("has a running step while a process waits to retry it, and a pending one afterwards", () => {
    const events = journals([started({ a: [] }), attemptStarted("a"), failed("a", 1, 2)]);
    expect(outline(events, everybody)).toEqual(["running", ["a", "running", "1 failed"]]);
    expect(outline(events, nobody)).toEqual(["interrupted", ["a", "pending", "1 failed"]]);
  });

  test("has a passed step if an attempt passed, even without later events", () => {
    const events = journals([started({ a: [] }), attemptStarted("a"), attemptPassed("a")]);
    expect(outline(events, nobody)).toEqual(["interrupted", ["a", "passed", "1 passed"]]);
  });
});

describe("a resumed run", () => {
  const first = [
    started({ a: [], b: [], c: ["b"] }),
    attemptStarted("a"),
    attemptPassed("a"),
    attemptStarted("b"),
    failed("b", 1),
    { type: "step-finished", step: "b", status: "failed", attempt: 1, failure: { reason: "empty-output", detail: "nothing" } },
    { type: "step-finished", step: "c", status: "skipped", because: "it waited for b" },
    finished("failed"),
    closed,
  ] satisfies readonly EventPayload[];

  test("has failed before the resume", () => {
    expect(outline(journals(first), everybody)).toEqual([
      "failed",
      ["a", "passed", "1 passed"],
      ["b", "failed", "1 failed"],
      ["c", "skipped"],
    ]);
  });

  test("is running with its passed steps and the options of the resume", () => {
    const events = journals(first, [resumed, attemptStarted("b", 2)]);
    expect(outline(events, everybody)).toEqual([
      "running",
      ["a", "passed", "1 passed"],
      ["b", "running", "1 failed", "2 running"],
      ["c", "pending"],
    ]);
    const run = projectRun(events, everybody);
    expect(run).toMatchObject({ writer: { pid: 2 }, options: { concurrency: 4, onFailure: "stop" } });
    expect(run).not.toHaveProperty("finishedAt");
    expect(run).not.toHaveProperty("treeAfter");
    expect(run).not.toHaveProperty("durationMs");
  });

  test("is interrupted when the second process dies too, even if the first one's pid is in use", () => {
    const events = journals(first, [resumed, attemptStarted("b", 2)]);
    expect(outline(events, ({ pid }) => pid === 1)).toMatchObject(["interrupted", {}, ["b", "pending", "1 failed", "2 interrupted"], {}]);
  });

  test("adds up the time of all its processes", () => {
    const events = journals(first, [resumed, attemptStarted("b", 2), attemptPassed("b", 2), finished("passed", 50), closed]);
    expect(projectRun(events, everybody)).toMatchObject({ status: "passed", durationMs: 150, treeAfter: digest("after") });
    const died = journals(first, [resumed, attemptStarted("b", 2)]);
    expect(projectRun(died, nobody)).toMatchObject({ status: "interrupted", durationMs: 2100 });
  });
});

describe("a step", () => {
  test("takes its artifacts and fingerprint from the first attempt that passed", () => {
    const other = { ...fingerprint, work: digest("other") };
    const events = journals([
      started({ a: [] }),
      attemptStarted("a"),
      { ...attemptPassed("a"), artifacts: [artifact("out", "first")] } as EventPayload,
      { ...attemptStarted("a", 2), fingerprint: other } as EventPayload,
      { ...attemptPassed("a", 2), artifacts: [artifact("out", "second")] } as EventPayload,
    ]);
    expect(projectRun(events, nobody)?.steps[0]).toMatchObject({ status: "passed", fingerprint, artifacts: [artifact("out", "first")] });
  });

  test("has the result of another run if it was reused", () => {
    const events = journals([
      started({ a: [] }),
      { type: "step-reused", step: "a", from: { run: "older", attempt: 2 }, fingerprint, artifacts: [artifact("out", "bytes")] },
    ]);
    expect(projectRun(events, nobody)?.steps[0]).toMatchObject({
      status: "passed",
      reusedFrom: { run: "older", attempt: 2 },
      fingerprint,
      artifacts: [artifact("out", "bytes")],
      attempts: [],
    });
  });

  test("keeps the last result of a contract that was evaluated again", () => {
    const check = (verdict: "pass" | "error"): EventPayload => ({
      type: "contract-checked",
      step: "a",
      attempt: 1,
      result: result("shape", { verdict }),
    });
    const events = journals([started({ a: [] }), attemptStarted("a"), check("error"), check("pass")]);
    expect(projectRun(events, nobody)?.steps[0]?.attempts[0]?.contracts).toEqual([result("shape")]);
  });
});

describe("any order and any duplication of the events", () => {
  test("produces the same record and the same fold", () => {
    fc.assert(
      fc.property(shuffledHistory, fc.integer({ min: 0, max: 7 }), ([events, shuffled], living) => {
        const isAlive = ({ pid }: { pid: number }) => (living & (1 << (pid - 1))) !== 0;
        expect(JSON.stringify(projectRun(shuffled, isAlive))).toBe(JSON.stringify(projectRun(events, isAlive)));
        expect(JSON.stringify(foldRun(shuffled))).toBe(JSON.stringify(foldRun(events)));
      }),
      { numRuns: 300 },
    );
  });
});
