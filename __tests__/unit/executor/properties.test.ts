/** Properties of executions, for generated graphs and failures. */

import { expect, test } from "vitest";
import type { Failure } from "../../../src/core/failure.ts";
import type { Step } from "../../../src/core/pipeline.ts";
import { type ExecuteRig, executeRig, fail, pass } from "../../rig/execute-rig.ts";
import { schemaContract, step } from "../../rig/plan-fixtures.ts";
import fc from "../../rig/property.ts";

interface Case {
  readonly steps: readonly Step[];
  readonly fates: Readonly<Record<string, "pass" | "exit" | "crash" | "contract" | "flaky">>;
  readonly onFailure: "finish" | "stop" | "keep-going";
  readonly concurrency: number;
  readonly cancelAfter?: number;
}

const retried = schemaContract({ onFailure: "retry", maxRetries: 1 });

const cases: fc.Arbitrary<Case> = fc
  .record({
    nodes: fc.array(
      fc.record({
        parents: fc.array(fc.nat(20), { maxLength: 3 }),
        fate: fc.constantFrom("pass", "pass", "pass", "exit", "crash", "contract", "flaky"),
        optional: fc.boolean(),
        shared: fc.integer({ min: 0, max: 9 }),
      }),
      { minLength: 1, maxLength: 14 },
    ),
    allShared: fc.integer({ min: 0, max: 5 }),
    onFailure: fc.constantFrom("finish", "stop", "keep-going"),
    concurrency: fc.integer({ min: 1, max: 4 }),
    cancelAfter: fc.option(fc.nat(12), { nil: undefined }),
  })
  .map(({ nodes, allShared, onFailure, concurrency, cancelAfter }) => {
    const steps = nodes.map(({ parents, optional, shared }, index) =>
      step(`s${index}`, {
        dependencies: index === 0 ? [] : [...new Set(parents.map((parent) => `s${parent % index}`))],
        optional,
        workspace: shared === 0 || allShared === 0 ? "shared" : "default",
        contracts: [retried],
      }),
    );
    const fates = Object.fromEntries(nodes.map(({ fate }, index) => [`s${index}`, fate]));
    return { steps, fates, onFailure, concurrency, ...(cancelAfter === undefined ? {} : { cancelAfter }) };
  });

const exit: Failure = { reason: "adapter-exit", exitCode: 1, tail: "" };
const crash: Failure = { reason: "adapter-crash", signal: "SIGSEGV", tail: "" };

function rigFor({ steps, fates, onFailure, concurrency, cancelAfter }: Case): ExecuteRig {
  let begun = 0;
  const rig: ExecuteRig = executeRig(steps, {
    options: { onFailure, concurrency },
    script(id) {
      begun += 1;
      if (begun === cancelAfter) rig.cancel("SIGINT");
      return fates[id] === "exit" ? exit : fates[id] === "crash" ? crash : "pass";
    },
    verify: (context) =>
      fates[context.step.id] === "contract" || (fates[context.step.id] === "flaky" && context.attempt.number === 1) ? fail : pass,
  });
  if (cancelAfter === 0) rig.cancel("SIGINT");
  return rig;
}

/** Checks every property of an execution, from its events alone. */
function expectSound(rig: ExecuteRig, { steps, concurrency }: Case): void {
  const byId = new Map(steps.map((one) => [one.id, one]));
  // A step in the project itself runs alone, unless every step does: then nothing isolated can be disturbed.
  const alone = steps.every(({ workspace }) => workspace === "shared") ? [] : steps.filter(({ workspace }) => workspace === "shared");
  const ended = new Map<string, string>();
  const attempts = new Map<string, number>();
  const running = new Set<string>();
  for (const event of rig.journal.events) {
    if (event.type === "attempt-started") {
      expect(event.attempt).toBe((attempts.get(event.step) ?? 0) + 1);
      attempts.set(event.step, event.attempt);
      expect(byId.get(event.step)?.dependencies.filter((id) => ended.get(id) !== "passed")).toEqual([]);
      expect([ended.has(event.step), running.has(event.step)]).toEqual([false, false]);
      running.add(event.step);
      expect(running.size).toBeLessThanOrEqual(concurrency);
      if (alone.some(({ id }) => running.has(id))) expect(running.size).toBe(1);
    }
    if (event.type === "attempt-passed" || event.type === "attempt-failed" || event.type === "attempt-cancelled")
      expect(running.delete(event.step)).toBe(true);
    if (event.type === "step-finished") {
      expect([event.step, ended.get(event.step), running.has(event.step)]).toEqual([event.step, undefined, false]);
      ended.set(event.step, event.status);
    }
  }
  expect([...ended.keys()].sort()).toEqual(steps.map((one) => one.id).sort());
  expect([rig.journal.events.at(-1)?.type, rig.of("run-finished").length, running.size]).toEqual(["run-finished", 1, 0]);
}

test("every step ends exactly once, none starts before its dependencies passed, and slots are never exceeded", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (drawn) => {
      const rig = rigFor(drawn);
      const outcome = await rig.run();
      expectSound(rig, drawn);
      const endings = Object.values(rig.endings());
      const failed = drawn.steps.some((one) => !one.optional && rig.endings()[one.id] === "failed");
      const expected =
        rig.context.run.signal.aborted && endings.includes("cancelled")
          ? ["cancelled", "failed"]
          : [failed ? "failed" : "passed", "cancelled"];
      expect(outcome.ok && expected.includes(outcome.value.status)).toBe(true);
      if (drawn.cancelAfter === undefined) expect(outcome).toMatchObject({ value: { status: failed ? "failed" : "passed" } });
      expect(rig.adapter.peak).toBeLessThanOrEqual(drawn.concurrency);
    }),
    { numRuns: 150 },
  );
});

test("keep-going runs exactly what does not depend on a failure", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (drawn) => {
      const { cancelAfter: _, ...rest } = { ...drawn, onFailure: "keep-going" as const };
      const rig = rigFor(rest);
      await rig.run();
      const expected = new Map<string, string>();
      for (const { id, dependencies } of drawn.steps) {
        const free = dependencies.every((other) => expected.get(other) === "passed");
        const passes = drawn.fates[id] === "pass" || drawn.fates[id] === "flaky";
        expected.set(id, free ? (passes ? "passed" : "failed") : "skipped");
      }
      expect(rig.endings()).toEqual(Object.fromEntries(expected));
    }),
    { numRuns: 100 },
  );
});
