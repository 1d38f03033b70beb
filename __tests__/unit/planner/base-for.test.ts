import { expect, test } from "vitest";
import type { BaseRef } from "../../../src/core/event.ts";
import type { RunRecord } from "../../../src/core/state.ts";
import { baseFor } from "../../../src/planner/base-for.ts";
import { digest } from "../../rig/plan-fixtures.ts";

const gitView = '[{"allow":["**",".git/**"],"deny":[]}]';
const current: BaseRef = {
  kind: "git",
  head: "h2",
  tree: digest("now"),
  views: { all: digest("all now"), [gitView]: digest("git now"), fresh: digest("fresh now") },
};
const earlier: BaseRef = {
  kind: "git",
  head: "h1",
  tree: digest("then"),
  views: { all: digest("all then"), [gitView]: digest("git then"), gone: digest("gone") },
};

function run(base: BaseRef, treeAfter: RunRecord["treeAfter"]): RunRecord {
  return {
    id: "r",
    pipeline: "demo",
    status: "passed",
    startedAt: "2026-01-01T00:00:00.000Z",
    manifest: digest("m"),
    base,
    applied: false,
    steps: [],
    options: { files: ["wave.yaml"], concurrency: 1, onFailure: "finish", reuse: false },
    writer: { pid: 1, processStart: "1", host: "h" },
    ...(treeAfter === undefined ? {} : { treeAfter }),
  };
}

test("uses the current base if no run ended with this tree", () => {
  expect(baseFor(current, [])).toBe(current);
  expect(baseFor(current, [run(earlier, digest("elsewhere")), run(earlier, undefined)])).toBe(current);
});

test("uses the current base if the run that ended with this tree did not change the project", () => {
  expect(baseFor(current, [run(current, current.tree), run(earlier, current.tree)])).toBe(current);
});

test("uses the base of the run that created this tree, with current views where the run has none", () => {
  expect(baseFor(current, [run(earlier, current.tree)])).toEqual({
    kind: "git",
    head: "h1",
    tree: digest("then"),
    views: { all: digest("all then"), [gitView]: digest("git now"), fresh: digest("fresh now") },
  });
});

test("uses the run's view of .git if HEAD has not moved", () => {
  expect(baseFor({ ...current, head: "h1" }, [run(earlier, current.tree)]).views[gitView]).toBe(digest("git then"));
});
