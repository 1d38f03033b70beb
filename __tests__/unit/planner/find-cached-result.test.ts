import { expect, test } from "vitest";
import { findCachedResult } from "../../../src/planner/find-cached-result.ts";
import { fingerprintStep } from "../../../src/planner/fingerprint.ts";
import { digest, fingerprintSource, passedWork, schemaContract, step } from "../../rig/plan-fixtures.ts";

const own = step("a", { contracts: [schemaContract()] });
const now = fingerprintStep(fingerprintSource(own));
const otherGate = fingerprintStep(fingerprintSource({ ...own, contracts: [] }));
const otherTask = fingerprintStep(fingerprintSource({ ...own, task: "Other", env: { A: "1" } }));
const here = digest("here");
const match = (...passed: ReturnType<typeof passedWork>[]) => findCachedResult(own, now, passed, here);

test("a step that never passed is new, whatever other steps did", () => {
  expect(match()).toEqual({ kind: "new", changed: [] });
  expect(match(passedWork("b", now))).toEqual({ kind: "new", changed: [] });
});

test("finds the newest equal result", () => {
  const newest = passedWork("a", now, { run: "newest" });
  expect(match(passedWork("a", otherTask), newest, passedWork("a", now, { run: "older" }))).toEqual({ kind: "equal", cached: newest });
});

test("rechecks an equal result with other contracts, unless an older one has the same contracts", () => {
  const recheck = passedWork("a", otherGate, { run: "recheck" });
  const equal = passedWork("a", now, { run: "equal" });
  expect(match(recheck)).toEqual({ kind: "recheck", cached: recheck });
  expect(match(recheck, equal)).toEqual({ kind: "equal", cached: equal });
});

test("a new step names the parts that differ from the newest result, except contracts", () => {
  const both = fingerprintStep(fingerprintSource({ ...own, task: "Other", contracts: [] }));
  const since = (run: string) => ({ run, attempt: 1, finishedAt: "2026-01-01T00:00:00.000Z" });
  expect(match(passedWork("a", otherTask, { run: "newest" }), passedWork("a", both))).toEqual({
    kind: "new",
    changed: ["env", "task"],
    since: since("newest"),
  });
  expect(match(passedWork("a", both))).toEqual({ kind: "new", changed: ["task"], since: since("run1") });
});

test("a result whose run changed the project counts only if the project is unchanged since", () => {
  const there = passedWork("a", now, { run: "changed", treeBefore: digest("before"), treeAfter: digest("elsewhere") });
  const arrived = passedWork("a", now, { run: "arrived", treeBefore: digest("before"), treeAfter: here });
  const killed = passedWork("a", now, { run: "changed", treeBefore: digest("before") });
  expect(match(there)).toMatchObject({ kind: "new", changed: ["tree"] });
  expect(match(killed)).toMatchObject({ kind: "new", changed: ["tree"] });
  expect(match(there, arrived)).toEqual({ kind: "equal", cached: arrived });
});
