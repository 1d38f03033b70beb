/** Steps whose results no longer count: rolled back, run again, reopened, or removed from the definition. */
import { describe, expect, test } from "vitest";
import type { EventPayload } from "../../../src/core/event.ts";
import { foldRun } from "../../../src/store/fold-run.ts";
import { projectRun } from "../../../src/store/project-run.ts";
import { artifact, digest } from "../../rig/plan-fixtures.ts";
import { attemptPassed, attemptStarted, fingerprint, started } from "../../rig/run-events.ts";
import { changesRef, closed, finished, journals, redefined, resumed, rolledBack } from "../../rig/run-histories.ts";

const nobody = () => false;
const passes = (step: string, attempt = 1): EventPayload[] => [
  attemptStarted(step, attempt),
  {
    ...attemptPassed(step, attempt),
    artifacts: [artifact("out", `${step} ${attempt}`)],
    changes: changesRef(`${step} ${attempt}`),
  } as EventPayload,
  { type: "step-finished", step, status: "passed", attempt },
];
const whole: EventPayload[] = [
  started({ a: [], b: ["a"], c: ["b"] }),
  ...["a", "b", "c"].flatMap((id) => passes(id)),
  { type: "changes-merged", changes: changesRef("all"), apply: true },
  { type: "changes-applied", changes: changesRef("all") },
  finished("passed"),
  closed,
];
const run = (...writers: readonly (readonly EventPayload[])[]) => projectRun(journals(...writers), nobody);

describe("a run that was rolled back to a step", () => {
  const back = run(whole, [rolledBack("a", ["b", "c"], true), closed]);

  test("has failed, with the reason and the changes that remain in the project", () => {
    expect(back).toMatchObject({
      status: "failed",
      failure: { reason: "rolled-back", to: "a", steps: ["b", "c"] },
      treeAfter: digest("kept tree"),
      changes: changesRef("kept"),
      inProject: changesRef("kept"),
      applied: true,
    });
  });

  test("keeps the step, and has the others pending with rolled-back attempts", () => {
    expect(back?.steps).toMatchObject([
      { id: "a", status: "passed", artifacts: [artifact("out", "a 1")] },
      { id: "b", status: "pending", artifacts: [], attempts: [{ status: "passed", rolledBack: true }] },
      { id: "c", status: "pending" },
    ]);
    for (const key of ["fingerprint", "changes", "reusedFrom"]) expect(back?.steps[1]).not.toHaveProperty(key);
  });

  test("has no changes in the project if none remain", () => {
    const none = run(whole, [rolledBack("a", ["b", "c"])]);
    expect(none).toMatchObject({ applied: false });
    expect(none).not.toHaveProperty("inProject");
    expect(none).not.toHaveProperty("treeAfter");
  });

  test("passes with later attempts, and keeps the changes in the project until theirs are applied", () => {
    const going = [
      resumed,
      ...passes("b", 2),
      ...passes("c", 2),
      { type: "changes-merged", changes: changesRef("new"), apply: true } as const,
    ];
    expect(run(whole, [rolledBack("a", ["b", "c"], true)], going)).toMatchObject({
      status: "interrupted",
      applied: false,
      changes: changesRef("new"),
      inProject: changesRef("kept"),
    });
    const done = run(
      whole,
      [rolledBack("a", ["b", "c"], true)],
      [...going, { type: "changes-applied", changes: changesRef("new") }, finished("passed")],
    );
    expect(done).toMatchObject({ status: "passed", applied: true, inProject: changesRef("new") });
    expect(done).not.toHaveProperty("failure");
    expect(done?.steps[1]).toMatchObject({
      status: "passed",
      artifacts: [artifact("out", "b 2")],
      attempts: [{ rolledBack: true }, { attempt: 2 }],
    });
  });
});

describe("an attempt that was running when its step was rolled back", () => {
  test("does not make the step pass when it ends", () => {
    const late = run([started({ a: [] }), attemptStarted("a"), rolledBack("x", ["a"]), ...passes("a").slice(1)]);
    expect(late?.steps[0]).toMatchObject({ status: "pending", artifacts: [], attempts: [{ status: "passed", rolledBack: true }] });
  });
});

describe("a resumed run", () => {
  test("reopens the steps that the event names", () => {
    const again = run(whole, [{ ...resumed, again: ["b", "c"] } as EventPayload]);
    expect(again?.steps.map(({ status }) => status)).toEqual(["passed", "pending", "pending"]);
    expect(again).toMatchObject({ status: "interrupted", inProject: changesRef("all") });
  });

  test("can have another definition, whose removed and restored steps keep their attempts", () => {
    const other = run(whole, [redefined({ b: [], d: ["b"], a: ["d"] })]);
    expect(other).toMatchObject({ manifest: digest("other manifest") });
    expect(other?.steps.map(({ id, status, dependencies }) => [id, status, dependencies])).toEqual([
      ["b", "passed", []],
      ["d", "pending", ["b"]],
      ["a", "passed", ["d"]],
    ]);
    const returned = run(whole, [redefined({ b: [] })], [redefined({ a: [], b: ["a"] })]);
    expect(returned?.steps).toMatchObject([
      { id: "a", status: "pending", attempts: [{ rolledBack: true }] },
      { id: "b", status: "passed" },
    ]);
  });

  test("executes a reopened step again", () => {
    const reopened = run(whole, [resumed, { type: "step-reopened", step: "b", because: "it changed" }, ...passes("b", 2)]);
    expect(reopened?.steps[1]).toMatchObject({ status: "passed", artifacts: [artifact("out", "b 2")] });
  });
});

test("a result of another run that was reused and then rolled back is recorded as revoked", () => {
  const reuse: EventPayload = { type: "step-reused", step: "b", from: { run: "older", attempt: 3 }, fingerprint, artifacts: [] };
  const events = [started({ a: [], b: ["a"] }), ...passes("a"), reuse];
  expect(foldRun(journals(events))?.revoked).toEqual([]);
  expect(foldRun(journals([...events, rolledBack("a", ["b"])]))?.revoked).toEqual([{ step: "b", run: "older", attempt: 3 }]);
  expect(foldRun(journals([...events, rolledBack("a", ["b"]), rolledBack("a", ["b"])]))?.revoked).toHaveLength(1);
});
