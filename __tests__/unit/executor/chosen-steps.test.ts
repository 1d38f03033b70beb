/** Resumed runs with skipped steps, another definition, or changes of their own to replace. */
import { describe, expect, test } from "vitest";
import type { Digest } from "../../../src/core/digest.ts";
import type { ArtifactRef, ChangesRef } from "../../../src/core/event.ts";
import type { Step } from "../../../src/core/pipeline.ts";
import type { StepRecord } from "../../../src/core/state.ts";
import { artifactsOf, type ExecuteRigOptions, executeRig, fail, fingerprintOf } from "../../rig/execute-rig.ts";
import { changeOf, fileState } from "../../rig/memory-changes.ts";
import { schemaContract, step } from "../../rig/plan-fixtures.ts";
import { attemptRecord } from "../../rig/run-events.ts";

const out = [{ name: "out", optional: false, implied: false }];
const inputs = [{ name: "out", artifact: "out", from: "a", optional: false }];
const a = step("a", { artifacts: out });
const b = step("b", { dependencies: ["a"], inputs });
const c = step("c", { dependencies: ["b"] });
const d = step("d");

/** The record of a step that passed at attempt 1, when its definition was `of`. */
function passed(
  of: Step,
  artifacts: readonly ArtifactRef[],
  digests: Readonly<Record<string, Digest>> = {},
  changes?: ChangesRef,
): StepRecord {
  return {
    id: of.id,
    persona: "worker",
    dependencies: of.dependencies,
    optional: false,
    status: "passed",
    artifacts,
    attempts: [attemptRecord({ artifacts })],
    fingerprint: fingerprintOf(of, digests),
    ...(changes === undefined ? {} : { changes }),
  };
}

describe("skipped steps", () => {
  test("end before anything starts, with their dependents, and the run passes", async () => {
    const rig = executeRig([a, b, c, d], { options: { excludedSteps: new Set(["b"]) } });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect(rig.endings()).toEqual({ a: "passed", b: "skipped", c: "skipped", d: "passed" });
    expect(rig.journal.events.slice(0, 2)).toMatchObject([
      { type: "step-finished", step: "b", because: "skipped with --skip" },
      { type: "step-finished", step: "c", because: "waits for b, which was skipped" },
    ]);
  });

  test("may be all steps of a chain", async () => {
    const rig = executeRig([a, b, c], { options: { excludedSteps: new Set(["c", "a", "b"]) } });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect([rig.adapter.runs, rig.endings()]).toEqual([[], { a: "skipped", b: "skipped", c: "skipped" }]);
  });

  test("are cancelled like others if the run is cancelled before it starts", async () => {
    const rig = executeRig([a, b], { options: { excludedSteps: new Set(["b"]) } });
    rig.cancel("SIGINT");
    expect(await rig.run()).toMatchObject({ value: { status: "cancelled" } });
  });
});

describe("under another definition", () => {
  async function resumed(before: readonly Step[], now: readonly Step[], options: ExecuteRigOptions = {}) {
    const store = executeRig([]).blobs;
    const made = await artifactsOf(store, a);
    const digests = { out: made[0]?.digest ?? digestNone };
    const prior = new Map(before.map((of) => [of.id, passed(of, of.id === "a" ? made : [], of.inputs.length > 0 ? digests : {})]));
    const collect = async ({ step: of }: { step: Step }) => ({ ok: true, value: await artifactsOf(store, of) }) as const;
    return executeRig(now, { ...options, context: { prior, blobs: store, collect }, options: { redefined: true } });
  }
  const digestNone: Digest = "sha256:";

  test("keeps unchanged steps without events", async () => {
    const rig = await resumed([a, b, c], [a, b, c]);
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect(rig.journal.events.map(({ type }) => type)).toEqual(["run-finished"]);
  });

  test("evaluates only the contracts of a step whose contracts changed", async () => {
    const judged = { ...a, contracts: [schemaContract()] };
    const rig = await resumed([a, b], [judged, b]);
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect(rig.adapter.runs).toEqual([]);
    expect(rig.journal.events.map(({ type }) => type)).toEqual([
      "step-reopened",
      "attempt-started",
      "contract-checked",
      "attempt-passed",
      "step-reused",
      "step-finished",
      "run-finished",
    ]);
    expect(rig.of("step-reused")).toMatchObject([{ from: { run: "run1", attempt: 1 } }]);
  });

  test("runs a step again if the new contracts reject its output", async () => {
    let judgements = 0;
    const judged = { ...a, contracts: [schemaContract()] };
    const rig = await resumed([a], [judged], { verify: () => (++judgements === 1 ? fail : { verdict: "pass", violations: [] }) });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect([rig.adapter.runs, rig.of("step-reopened").length]).toEqual([["a.3"], 1]);
  });

  test("runs a changed step again, and records the reason once", async () => {
    const other = { ...b, inputs: [{ name: "renamed", artifact: "out", from: "a", optional: false }] };
    const rig = await resumed([a, b, c], [a, other, c], {
      script: (id, nth) => (id === "b" && nth === 1 ? { reason: "spawn-failed", command: "x", code: "EAGAIN", detail: "" } : "pass"),
    });
    expect(await rig.run()).toMatchObject({ value: { status: expect.any(String) } });
    expect(rig.of("step-reopened")).toMatchObject([{ step: "b", because: "its dependencies have changed" }]);
    expect(rig.adapter.runs[0]).toBe("b.2");
  });
});

test("a passed step whose blobs are missing is reopened before it runs again", async () => {
  const rig = executeRig([d], {
    context: {
      prior: new Map([
        [
          "d",
          passed(d, [
            { ...out[0], name: "out", digest: `sha256:${"0".repeat(64)}`, size: 1, mediaType: "text/plain", source: "output/out" },
          ]),
        ],
      ]),
    },
  });
  expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
  expect(rig.journal.events.map(({ type }) => type).slice(0, 2)).toEqual(["step-reopened", "attempt-started"]);
  expect(rig.of("step-reopened")).toMatchObject([{ because: "its output is missing or damaged" }]);
});

describe("changes of this run that the project has", () => {
  const undo = [changeOf("x", "applied", undefined)];

  test("are replaced by the run's new changes", async () => {
    const rig = executeRig([d], { undo, changes: () => [changeOf("x", undefined, "again")] });
    rig.changes.project.set("x", fileState("applied"));
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect([...rig.changes.project]).toEqual([["x", fileState("again")]]);
  });

  test("are removed if the run now changes nothing, but not those of another run", async () => {
    for (const undoesOwn of [true, false]) {
      const rig = executeRig([d], { undo });
      rig.changes.project.set("x", fileState("applied"));
      const own = executeRig([d], { undo, context: { changes: { ...rig.changes, rollsBackOwn: undoesOwn } } });
      expect(await own.run()).toMatchObject({ value: { status: "passed" } });
      expect([...rig.changes.project.keys()]).toEqual(undoesOwn ? [] : ["x"]);
      expect(own.of("changes-applied")).toMatchObject(undoesOwn ? [{ changes: { added: 0, changed: 0, deleted: 0 } }] : []);
    }
  });
});
