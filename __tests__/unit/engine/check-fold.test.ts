/** Folded records from another job must have the shape that Wave writes. */
import { describe, expect, it } from "vitest";
import { foldProblem } from "../../../src/engine/check-fold.ts";
import { foldRun } from "../../../src/store/fold-run.ts";
import { artifact } from "../../rig/plan-fixtures.ts";
import fc from "../../rig/property.ts";
import { attemptPassed, attemptStarted, started } from "../../rig/run-events.ts";
import { failed, finished, history, journals } from "../../rig/run-histories.ts";

const record = (): Record<string, unknown> => {
  const events = journals([
    started({ a: [], b: ["a"] }),
    attemptStarted("a"),
    attemptPassed("a"),
    attemptStarted("b"),
    failed("b", 1),
    finished("failed"),
  ]);
  return JSON.parse(JSON.stringify(foldRun(events)));
};

/** The record with another value at a path; `undefined` removes the member. */
function changed(path: readonly (string | number)[], value: unknown): unknown {
  const whole = record();
  let at = whole as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[path.at(-1) ?? ""] = value;
  return JSON.parse(JSON.stringify(whole));
}

describe("a folded record", () => {
  it("is valid for any run", () => {
    fc.assert(
      fc.property(history, (events) => {
        const fold = foldRun(events);
        expect(fold === undefined ? undefined : foldProblem(JSON.parse(JSON.stringify(fold)))).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it.each<[string, readonly (string | number)[], unknown]>([
    ["whose id leads to another directory", ["id"], "../a"],
    ["with an outcome that runs cannot have", ["outcome"], "running"],
    ["with a member that it does not have", ["extra"], 1],
    ["without a member", ["options"], undefined],
    ["with a failure of an unknown kind", ["failure"], { reason: "constructor" }],
    ["with a failure of an attempt without its members", ["steps", 1, "attempts", 0, "failure"], { reason: "empty-output" }],
    ["with a step that is named after a path", ["steps", 0, "id"], "../a"],
    ["with an artifact that is named after a path", ["steps", 0, "attempts", 0, "artifacts"], [artifact("a/b", "bytes")]],
    ["with a winner that it does not contain", ["steps", 0, "winner"], 7],
    ["with a time that does not exist", ["startedAt"], "2026-99-99T00:00:00.000Z"],
    ["with dependencies that are not a list", ["steps", 0, "dependencies"], { a: 1 }],
    ["with a rollback to a path", ["openRollback"], { to: ".." }],
    ["with a number that is not exact", ["writers", 0, "spentMs"], 1e300],
  ])("%s is refused", (_what, path, value) => {
    expect(foldProblem(record())).toBeUndefined();
    expect(foldProblem(changed(path, value))).toBeDefined();
  });

  it.each([null, [], "x", 1, {}])("is not %j", (value) => {
    expect(foldProblem(value)).toBeDefined();
  });
});
