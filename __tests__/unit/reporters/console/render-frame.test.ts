import { describe, expect, test } from "vitest";
import type { EventPayload } from "../../../../src/core/event.ts";
import { noUsage } from "../../../../src/core/usage.ts";
import { planPipeline } from "../../../../src/planner/plan-pipeline.ts";
import { renderFrame } from "../../../../src/reporters/console/render-frame.ts";
import { applyEvent, applyOutput, applyUsage, emptyView, viewOfPlan } from "../../../../src/reporters/console/run-view.ts";
import { cellWidth } from "../../../../src/text/printable.ts";
import { digest, pipeline, step } from "../../../rig/plan-fixtures.ts";
import { attemptPassed, attemptStarted, begin, events, type Moment, result, started } from "../../../rig/run-events.ts";

const size = { columns: 80, rows: 24 };
const diamond = { survey: [], risks: ["survey"], tests: ["survey"], review: ["risks", "tests"] };

function viewAfter(...payloads: readonly Moment[]) {
  return events(...payloads).reduce(applyEvent, emptyView());
}

describe("a frame", () => {
  test("has one line per step, in plan order and indented by depth", () => {
    const view = viewAfter(
      [0, started({ review: ["risks", "tests"], survey: [], risks: ["survey"], tests: ["survey"] })],
      [0, attemptStarted("survey")],
      [900, { type: "contract-checked", step: "survey", attempt: 1, result: result("shape") }],
      [1200, attemptPassed("survey")],
      [1200, { type: "step-finished", step: "survey", status: "passed", attempt: 1 }],
      [1200, attemptStarted("risks", 2)],
      [1300, attemptStarted("tests")],
      [
        1900,
        {
          type: "attempt-failed",
          step: "tests",
          attempt: 1,
          durationMs: 600,
          failure: { reason: "adapter-exit", exitCode: 3, tail: "boom" },
          artifacts: [],
          retry: { attempt: 2, delayMs: 5000 },
        },
      ],
    );
    applyOutput(view, "risks", "first\n\u001b[31mlooking at src/a.ts\u001b[0m\n");
    expect(renderFrame(view, begin + 2400, size, false)).toBe(
      [
        "demo run 3f9a · 2.4s",
        "✓ survey     1.2s  ✓ shape",
        "  ⠋ risks    1.2s  attempt 2  looking at src/a.ts",
        "  ↻ tests    600ms  tries again in 4.5s",
        "    ○ review after risks, tests",
        "1 passed · 1 of 2 slots running · 1 waiting · 1 pending",
      ].join("\n"),
    );
  });

  test("shows why a step failed or was skipped, and whether it was reused", () => {
    const view = viewAfter(
      [0, started(diamond)],
      [
        0,
        {
          type: "step-reused",
          step: "survey",
          from: { run: "old", attempt: 1 },
          fingerprint: { work: digest("w"), gate: digest("g"), parts: {} },
          artifacts: [],
        },
      ],
      [0, attemptStarted("risks")],
      [
        2000,
        {
          type: "attempt-failed",
          step: "risks",
          attempt: 1,
          durationMs: 2000,
          failure: { reason: "timeout", limitMs: 2000, tail: "" },
          artifacts: [],
        },
      ],
      [2000, { type: "step-finished", step: "risks", status: "failed", attempt: 1 }],
      [2000, { type: "step-finished", step: "review", status: "skipped", because: "`risks` failed" }],
      [2100, { type: "run-finished", status: "failed", durationMs: 2100 }],
    );
    expect(renderFrame(view, begin + 99_000, size, false).split("\n")).toEqual([
      "demo run 3f9a · 2.1s",
      "✓ survey     reused",
      "  ✗ risks    2s  the attempt took longer than 2s",
      "  ○ tests    worker",
      "    ↷ review `risks` failed",
      "1 passed · 1 failed · 1 skipped · 1 pending",
    ]);
  });

  test("names the dependencies that a pending step waits for, and a slot once they have passed", () => {
    const view = viewAfter(
      [0, started({ prepare: [], lint: ["prepare"], build: ["prepare"], test: ["prepare"], release: ["lint", "build", "prepare"] })],
      [0, attemptStarted("prepare")],
      [10, attemptPassed("prepare")],
      [10, { type: "step-finished", step: "prepare", status: "passed", attempt: 1 }],
      [10, attemptStarted("lint")],
      [10, attemptStarted("build")],
    );
    expect(
      renderFrame(view, begin + 10, size, false)
        .split("\n")
        .slice(4),
    ).toEqual(["  ○ test      waits for a slot", "    ○ release after lint, build", "1 passed · 2 of 2 slots running · 2 pending"]);
  });

  test("shows that a retry waits for a slot once its delay is over", () => {
    const failure = { reason: "adapter-exit", exitCode: 1, tail: "" } as const;
    const view = viewAfter(
      [0, started({ a: [] })],
      [0, attemptStarted("a")],
      [5, { type: "attempt-failed", step: "a", attempt: 1, durationMs: 5, failure, artifacts: [], retry: { attempt: 2, delayMs: 50 } }],
    );
    const lines = [20, 60].map((ms) =>
      renderFrame(view, begin + ms, size, false)
        .split("\n")
        .slice(1),
    );
    expect(lines).toEqual([
      ["↻ a        5ms  tries again in 35ms", "1 waiting"],
      ["↻ a        5ms  waits for a slot", "1 waiting"],
    ]);
  });

  test("shows tokens and cost of running and ended attempts, per step and in total", () => {
    const usage = { ...noUsage, inputTokens: 1000, outputTokens: 200, costUsd: 0.25 };
    const view = viewAfter(
      [0, started({ a: [], b: [] })],
      [0, attemptStarted("a")],
      [0, attemptStarted("b")],
      [9, { ...attemptPassed("a"), usage } as EventPayload],
      [9, { type: "step-finished", step: "a", status: "passed", attempt: 1 }],
    );
    applyUsage(view, { step: "b", attempt: 1, usage: { ...usage, costUsd: 0.5 } });
    applyUsage(view, { step: "b", attempt: 1, usage: { ...usage, inputTokens: 3000, costUsd: 1 } });
    expect(
      renderFrame(view, begin + 9, size, false)
        .split("\n")
        .slice(0, 3),
    ).toEqual(["demo run 3f9a · 9ms · 4,400 tokens, $1.25", "✓ a        1.2s  1,200 tokens, $0.25", "⠋ b        9ms  3,200 tokens, $1.00"]);
  });

  test("fits the terminal: passed steps fold first, then pending ones, then the rest is counted", () => {
    const ids = Array.from({ length: 40 }, (_, index) => `step-${index}`);
    const view = viewAfter(
      [0, started(Object.fromEntries(ids.map((id) => [id, []])))],
      ...ids.slice(0, 20).map((id) => [1, { type: "step-finished", step: id, status: "passed", attempt: 1 }] as const),
      ...ids.slice(20, 28).map((id) => [1, attemptStarted(id)] as const),
    );
    view.process.slots = 8;
    const heights = [50, 30, 14, 8, 4].map((rows) => renderFrame(view, begin, { columns: 40, rows }, true).split("\n"));
    expect(heights.map((lines) => lines.length)).toEqual([42, 23, 12, 7, 3]);
    expect(renderFrame(view, begin, { columns: 60, rows: 8 }, false).split("\n")).toEqual([
      "demo run 3f9a · 0ms",
      "✓ 20 steps passed",
      "⠋ step-20  0ms",
      "⠋ step-21  0ms",
      "▶ 6 steps more running or ended",
      "○ 12 steps pending or skipped",
      "20 passed · 8 of 8 slots running · 12 pending",
    ]);
  });

  test("no line is wider than the terminal, whatever is in it", () => {
    const view = viewAfter([0, started({ ["日本".repeat(40)]: [], b: [] }, "long ".repeat(40))], [0, attemptStarted("b")]);
    applyOutput(view, "b", "output ".repeat(40));
    for (const columns of [20, 40, 80, 200]) {
      const widths = renderFrame(view, begin, { columns, rows: 24 }, false).split("\n").map(cellWidth);
      expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
    }
  });
});

describe("a view", () => {
  test("of a plan knows the steps before anything has happened", () => {
    const plan = planPipeline({
      pipeline: pipeline([step("b", { dependencies: ["a"] }), step("a")]),
      base: { kind: "files", tree: digest("tree"), views: {} },
      tree: digest("tree"),
      passed: [],
      contractFiles: new Map(),
      protectedFiles: new Map(),
      platform: "linux-x64",
      adapterVersions: new Map(),
      sandbox: { available: true, network: true },
    });
    const view = viewOfPlan(plan);
    expect([...view.steps.values()].map(({ id, depth, status }) => [id, depth, status])).toEqual([
      ["a", 0, "pending"],
      ["b", 1, "pending"],
    ]);
  });

  test("of a resumed run takes a step's dependencies, of which nothing is heard, as passed before", () => {
    const view = viewAfter([0, started(diamond)]);
    for (const event of events([0, { type: "run-resumed", concurrency: 1, onFailure: "finish" }], [0, attemptStarted("review")]))
      applyEvent(view, event);
    expect([...view.steps.values()].map(({ id, status, reused }) => [id, status, reused])).toEqual([
      ["survey", "passed", true],
      ["risks", "passed", true],
      ["tests", "passed", true],
      ["review", "running", false],
    ]);
  });

  test("of ten thousand steps in one chain is folded without running out of stack or time", () => {
    const chain = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`s${index}`, index === 0 ? [] : [`s${index - 1}`]]));
    const view = viewAfter([0, started(chain)], [0, attemptStarted("s9999")]);
    expect(view.steps.get("s9999")).toMatchObject({ depth: 9999, status: "running" });
    expect(renderFrame(view, begin, size, false).split("\n").length).toBeLessThan(24);
  });
});
