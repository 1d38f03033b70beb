/** Existing results: of this run when it is resumed, of earlier runs when they are reused. */
import { describe, expect, test } from "vitest";
import type { ArtifactRef } from "../../../src/core/event.ts";
import type { Step } from "../../../src/core/pipeline.ts";
import type { AttemptRecord, StepRecord } from "../../../src/core/state.ts";
import { artifactsOf, type ExecuteRig, executeRig, fail, fingerprintOf, pass } from "../../rig/execute-rig.ts";
import { passedWork, schemaContract, step } from "../../rig/plan-fixtures.ts";

const out = [{ name: "out", optional: false, implied: false }];
const inputs = [{ name: "out", artifact: "out", from: "a", optional: false }];
const a = step("a", { artifacts: out });
const b = step("b", { dependencies: ["a"], inputs, artifacts: out });
const c = step("c", { dependencies: ["b"] });

function record(
  of: Step,
  status: StepRecord["status"],
  artifacts: readonly ArtifactRef[],
  attempts: readonly AttemptRecord[] = [],
): StepRecord {
  const made = Object.fromEntries(of.inputs.map((input) => [input.name, artifacts[0]?.digest ?? ""]));
  return {
    id: of.id,
    persona: "worker",
    dependencies: of.dependencies,
    optional: false,
    status,
    artifacts,
    attempts,
    fingerprint: fingerprintOf(of, made),
  };
}

function failedAttempt(attempt: number): AttemptRecord {
  const failure = { reason: "adapter-exit", exitCode: 1, tail: "no" } as const;
  return {
    attempt,
    status: "failed",
    adapter: "command",
    startedAt: "",
    fingerprint: fingerprintOf(b, {}),
    inputs: [],
    workspace: "isolated",
    artifacts: [],
    contracts: [],
    failure,
  };
}

describe("resume", () => {
  test("keeps passed steps without events, and continues the numbers and feedback of earlier attempts", async () => {
    const rig = executeRig([a, b, c], { context: { prior: new Map() } });
    const made = await artifactsOf(rig.blobs, a);
    const prior = new Map([
      ["a", record(a, "passed", made)],
      ["b", record(b, "failed", [], [failedAttempt(1), failedAttempt(2)])],
    ]);
    const resumed = executeRig([a, b, c], { context: { prior, blobs: rig.blobs } });
    expect(await resumed.run()).toMatchObject({ value: { status: "passed" } });
    expect(resumed.adapter.runs).toEqual(["b.3", "c.1"]);
    expect(resumed.endings()).toEqual({ b: "passed", c: "passed" });
    expect(resumed.prompts[0]).toMatchObject({ feedback: { attempt: 2, failure: { reason: "adapter-exit" } } });
  });

  test("executes nothing for a finished run", async () => {
    const rig = executeRig([a], {});
    const prior = new Map([["a", record(a, "passed", await artifactsOf(rig.blobs, a))]]);
    const resumed = executeRig([a], { context: { prior, blobs: rig.blobs } });
    expect(await resumed.run()).toMatchObject({ value: { status: "passed" } });
    expect(resumed.journal.events.map((event) => event.type)).toEqual(["run-finished"]);
  });

  test("runs a passed step with a missing blob again, and keeps its dependents only if the output is the same", async () => {
    for (const same of [true, false]) {
      const before = executeRig([a, b, c]);
      const madeByA = await artifactsOf(before.blobs, a);
      const madeByB = await artifactsOf(before.blobs, b);
      const priorB: StepRecord = {
        ...record(b, "passed", madeByB),
        fingerprint: fingerprintOf(b, { out: same ? (madeByA[0]?.digest ?? "") : "other" }),
      };
      before.blobs.lose(madeByA[0]?.digest ?? "sha256:");
      const prior = new Map([
        ["a", record(a, "passed", madeByA)],
        ["b", priorB],
      ]);
      const resumed = executeRig([a, b, c], {
        context: {
          prior,
          blobs: before.blobs,
          collect: async ({ step: of }) => ({ ok: true, value: await artifactsOf(before.blobs, of) }),
        },
      });
      expect(await resumed.run()).toMatchObject({ value: { status: "passed" } });
      expect(resumed.adapter.runs).toEqual(same ? ["a.1", "c.1"] : ["a.1", "b.1", "c.1"]);
    }
  });
});

test("a passed step that a resumed run does not reach stays passed", async () => {
  const before = executeRig([a, b]);
  const prior = new Map([
    ["a", record(a, "failed", [])],
    ["b", record(b, "passed", await artifactsOf(before.blobs, b))],
  ]);
  const failing = executeRig([a, b], {
    context: { prior, blobs: before.blobs },
    script: () => ({ reason: "adapter-exit", exitCode: 1, tail: "" }),
  });
  expect(await failing.run()).toMatchObject({ value: { status: "failed", failure: { steps: ["a"] } } });
  expect(failing.endings()).toEqual({ a: "failed" });
  const stopped = executeRig([a, b], { context: { prior, blobs: before.blobs }, script: () => "hold" });
  const ended = stopped.run();
  await stopped.adapter.started("a");
  stopped.cancel("SIGINT");
  expect(await ended).toMatchObject({ value: { status: "cancelled" } });
  expect(stopped.endings()).toEqual({ a: "cancelled" });
});

describe("reuse", () => {
  const contracts = [schemaContract()];
  const judged = step("a", { artifacts: out, contracts });

  async function reusing(
    kind: "equal" | "recheck",
    steps: readonly Step[],
    options: Parameters<typeof executeRig>[1] = {},
  ): Promise<ExecuteRig> {
    const store = executeRig([]).blobs;
    const [first] = steps;
    if (first === undefined) throw new Error("no step");
    const cached = passedWork("a", fingerprintOf(first, {}), { run: "run0", attempt: 2, artifacts: await artifactsOf(store, first) });
    const findCachedResult = (of: Step) => (of.id === "a" ? ({ kind, cached } as const) : ({ kind: "new" } as const));
    const collect = async ({ step: of }: { step: Step }) => ({ ok: true, value: await artifactsOf(store, of) }) as const;
    return executeRig(steps, { ...options, context: { blobs: store, findCachedResult, collect, ...options.context } });
  }

  test("takes an equal cached result without an attempt, and passes its artifacts on", async () => {
    const rig = await reusing("equal", [judged, b]);
    await rig.run();
    expect(rig.adapter.runs).toEqual(["b.1"]);
    expect(rig.of("step-reused")).toMatchObject([{ step: "a", from: { run: "run0", attempt: 2 }, artifacts: [{ name: "out" }] }]);
    expect(rig.of("attempt-started")).toMatchObject([{ step: "b", inputs: [{ name: "out", from: "a" }] }]);
    expect(rig.endings()).toEqual({ a: "passed", b: "passed" });
  });

  test("runs the step if a blob of the cached result is missing", async () => {
    const rig = await reusing("equal", [judged], { context: { blobs: executeRig([]).blobs } });
    await rig.run();
    expect([rig.adapter.runs, rig.of("step-reused")]).toEqual([["a.1"], []]);
  });

  test("evaluates only changed contracts, on the cached artifacts", async () => {
    const seen: unknown[] = [];
    const rig = await reusing("recheck", [judged], {
      verify: async ({ artifacts, readArtifact }) => {
        seen.push(
          artifacts.map((artifact) => artifact.name),
          await readArtifact("out"),
        );
        return pass;
      },
    });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect([rig.adapter.runs, seen]).toEqual([[], [["out"], { ok: true, value: Buffer.from("out of a") }]]);
    expect(rig.journal.events.map((event) => event.type)).toEqual([
      "attempt-started",
      "contract-checked",
      "attempt-passed",
      "step-reused",
      "step-finished",
      "run-finished",
    ]);
    expect(rig.workspaces.discarded).toEqual(["a.1 passed"]);
  });

  test("runs the step with feedback if new contracts reject the cached result, without using a retry", async () => {
    const rig = await reusing("recheck", [judged], { verify: ({ attempt }) => (attempt.number === 1 ? fail : pass) });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect(rig.adapter.runs).toEqual(["a.2"]);
    expect(rig.of("attempt-failed")).toMatchObject([{ attempt: 1, retry: { attempt: 2, delayMs: 0 } }]);
    expect(rig.prompts[1]).toMatchObject({ feedback: { attempt: 1, failure: { reason: "contract-failed" } } });
    expect(rig.of("step-reused")).toEqual([]);
  });

  test("takes a cached result without evaluation if the step has no contracts", async () => {
    const rig = await reusing("recheck", [a]);
    await rig.run();
    expect(rig.journal.events.map((event) => event.type)).toEqual(["step-reused", "step-finished", "run-finished"]);
  });
});
