import { describe, expect, test } from "vitest";
import type { RunStatus } from "../../../src/core/state.ts";
import { newestRuns, type RunCandidate, type RunCriteria, selectRuns } from "../../../src/store/select-runs.ts";

const steps = { pending: 0, running: 0, passed: 1, failed: 0, skipped: 0, cancelled: 0 };
const run = (id: string, pipeline: string, status: RunStatus, endedAt: number): RunCandidate => ({
  id,
  pipeline,
  status,
  startedAt: "2026-01-01T00:00:00.000Z",
  steps,
  archived: false,
  endedAt,
});

/** Newest first, as state lists them; the time is 100. */
const runs = [
  run("a4", "a", "running", 99),
  run("b2", "b", "failed", 90),
  run("a3", "a", "passed", 80),
  run("a2", "a", "failed", 70),
  run("b1", "b", "interrupted", 60),
  run("a1", "a", "cancelled", 50),
];

describe("a cleanup", () => {
  test.each<[RunCriteria, string[]]>([
    [{}, []],
    [{ olderThanMs: 0 }, ["b2", "a3", "a2", "b1", "a1"]],
    [{ olderThanMs: 30 }, ["a2", "b1", "a1"]],
    [{ olderThanMs: 51 }, []],
    [{ statuses: ["failed"] }, ["b2", "a2"]],
    [{ statuses: ["failed", "interrupted"] }, ["b2", "a2", "b1"]],
    [{ keepLast: 1 }, ["a3", "a2", "b1", "a1"]],
    [{ keepLast: 2 }, ["a2", "a1"]],
    [{ keepLast: 4 }, []],
    [{ keepLast: 1, statuses: ["failed"] }, ["a2"]],
    [{ keepLast: 1, olderThanMs: 40, statuses: ["cancelled", "interrupted"] }, ["b1", "a1"]],
  ])("with %j selects %j, and never active runs", (criteria, taken) => {
    expect(selectRuns(runs, criteria, 100).map(({ id }) => id)).toEqual(taken);
  });

  test("selects runs whose end is in the future by another machine's clock, unless it filters by age", () => {
    const ahead = [run("a1", "a", "failed", 200)];
    expect(selectRuns(ahead, { statuses: ["failed"] }, 100)).toEqual(ahead);
    expect(selectRuns(ahead, { olderThanMs: 0 }, 100)).toEqual([]);
  });

  test("finds the newest run of each pipeline", () => expect([...newestRuns(runs)].sort()).toEqual(["a4", "b2"]));
});
