/** The budget of a run: optional steps are skipped when little remains, and the run ends when it is exceeded. */
import { expect, test } from "vitest";
import type { RunBudget } from "../../../src/core/pipeline.ts";
import type { StepRecord } from "../../../src/core/state.ts";
import { noUsage, type Usage } from "../../../src/core/usage.ts";
import { executeRig, fail, pass } from "../../rig/execute-rig.ts";
import { fakeClock } from "../../rig/fake-clock.ts";
import { schemaContract, step } from "../../rig/plan-fixtures.ts";
import type { Act } from "../../rig/scripted-adapter.ts";

const tokens = (inputTokens: number, costUsd?: number): Usage => ({
  ...noUsage,
  turns: 1,
  inputTokens,
  ...(costUsd === undefined ? {} : { costUsd }),
});
const using = (amount: number, then: Act = "pass", cost?: number): Act => ({ uses: tokens(amount, cost), then });
const spent = (limit: number, used: number) => ({ reason: "budget-exceeded", what: "tokens", limit, used, of: "run" });

test("a budget that is not exceeded has no effect", async () => {
  const rig = executeRig([step("a"), step("b", { optional: true })], {
    script: () => using(39),
    budget: { maxTokens: 100, maxTurns: 2, maxCostUsd: 0 },
  });
  expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
  expect(rig.endings()).toEqual({ a: "passed", b: "passed" });
});

test.each<[string, RunBudget, object]>([
  ["tokens", { maxTokens: 99 }, { what: "tokens", limit: 99, used: 100 }],
  ["turns", { maxTurns: 1 }, { what: "turns", limit: 1, used: 2 }],
  ["cost", { maxCostUsd: 0.5 }, { what: "cost", limit: 0.5, used: 0.75 }],
])("a run that exceeds its %s stops its running steps and skips the others", async (_, budget, failure) => {
  const steps = [step("a"), step("b"), step("c", { dependencies: ["b"] }), step("d")];
  const script = (id: string) => (id === "a" ? using(40, "hold", 0.25) : using(60, "hold", 0.5));
  const rig = executeRig(steps, { script, budget, options: { onFailure: "keep-going" } });
  expect(await rig.run()).toEqual({
    ok: true,
    value: { status: "failed", durationMs: 0, failure: { reason: "budget-exceeded", of: "run", ...failure } },
  });
  expect(rig.endings()).toEqual({ a: "cancelled", b: "cancelled", c: "skipped", d: "skipped" });
  expect(rig.adapter.runs).toEqual(["a.1", "b.1"]);
  expect(rig.of("run-finished")).toMatchObject([{ status: "failed", failure }]);
  for (const { because } of rig.of("step-finished")) expect(because).toContain("more than its budget");
});

test("failed attempts count, and no retry starts once the budget is exceeded", async () => {
  const contracts = [schemaContract({ onFailure: "retry", maxRetries: 5 })];
  const rig = executeRig([step("a", { contracts })], { script: () => using(40), verify: () => fail, budget: { maxTokens: 100 } });
  expect(await rig.run()).toMatchObject({ value: { status: "failed", failure: spent(100, 120) } });
  expect(rig.adapter.runs).toEqual(["a.1", "a.2", "a.3"]);
});

test("optional steps that have not started are skipped with their dependents once most of the budget is used", async () => {
  const steps = [
    step("first"),
    step("nice", { optional: true, dependencies: ["first"] }),
    step("nicer", { optional: true, dependencies: ["nice"] }),
    step("last", { dependencies: ["first"] }),
  ];
  const rig = executeRig(steps, { script: (id) => using(id === "first" ? 80 : 20), budget: { maxTokens: 100 } });
  expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
  expect(rig.endings()).toEqual({ first: "passed", nice: "skipped", nicer: "skipped", last: "passed" });
  const nice = rig.of("step-finished").find((event) => event.step === "nice");
  expect(nice?.because).toBe("it is optional, and most of the run's budget is used");
});

test("usage of the run's earlier processes counts, so a resume alone does not continue the run", async () => {
  const attempt = { attempt: 1, status: "failed", usage: tokens(101) };
  const prior = new Map([["a", { id: "a", status: "failed", attempts: [attempt], artifacts: [] } as unknown as StepRecord]]);
  const rig = executeRig([step("a")], { script: () => using(1), budget: { maxTokens: 100 }, context: { prior } });
  expect(await rig.run()).toMatchObject({ value: { status: "failed", failure: spent(100, 101) } });
  const enough = executeRig([step("a")], { script: () => using(1), budget: { maxTokens: 200 }, context: { prior } });
  expect(await enough.run()).toMatchObject({ value: { status: "passed" } });
});

test("a run that exceeds its time ends, and a faster one does not wait for the limit", async () => {
  const clock = fakeClock({ patient: true });
  const rig = executeRig([step("a")], { script: () => "hold", budget: { timeoutMs: 5000 }, clock });
  const running = rig.run();
  await rig.adapter.started("a");
  await clock.asleep();
  clock.advance(5000);
  const failure = { reason: "budget-exceeded", what: "time", limit: 5000, used: 5000, of: "run" };
  expect(await running).toMatchObject({ value: { status: "failed", failure } });
  const quick = executeRig([step("a")], { budget: { timeoutMs: 5000 }, clock: fakeClock({ patient: true }), verify: () => pass });
  expect(await quick.run()).toMatchObject({ value: { status: "passed" } });
});
