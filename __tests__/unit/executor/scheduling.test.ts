/** The order of steps, and the effects of a failure on other steps. */
import { describe, expect, test } from "vitest";
import type { Failure } from "../../../src/core/failure.ts";
import { executeRig } from "../../rig/execute-rig.ts";
import { artifact, pipeline, step } from "../../rig/plan-fixtures.ts";

const exit: Failure = { reason: "adapter-exit", exitCode: 1, tail: "no" };
const failing =
  (...ids: string[]) =>
  (id: string) =>
    ids.includes(id) ? exit : ("pass" as const);
const following = (id: string, ...dependencies: string[]) => step(id, { dependencies });

describe("order", () => {
  test("a diamond has no level barriers: a step starts while a sibling of its dependency still runs", async () => {
    const rig = executeRig(
      [step("a"), following("slow", "a"), following("quick", "a"), following("next", "quick"), following("end", "slow", "next")],
      {
        script: (id) => (id === "slow" ? "hold" : "pass"),
      },
    );
    const ended = rig.run();
    await rig.adapter.started("next");
    expect(rig.adapter.runs).toEqual(["a.1", "slow.1", "quick.1", "next.1"]);
    rig.adapter.release("slow");
    expect(await ended).toEqual({ ok: true, value: { status: "passed", durationMs: 0 } });
    expect(rig.adapter.runs.at(-1)).toBe("end.1");
    expect(rig.of("run-finished")).toMatchObject([{ status: "passed", tree: expect.stringMatching(/^sha256:/) }]);
    expect(rig.published).toEqual(rig.journal.events);
  });

  test("the longest path goes first, with ties in the order of the manifest", async () => {
    const weights = { short: 1, long: 5, middle: 3, tie: 3 };
    const steps = [step("short"), step("tie"), step("middle"), step("long")];
    const rig = executeRig(steps, { weights, options: { concurrency: 1 } });
    await rig.run();
    expect(rig.adapter.runs).toEqual(["long.1", "tie.1", "middle.1", "short.1"]);
    const plan = { ...rig.context.plan, pipeline: pipeline([step("middle"), step("tie"), step("long"), step("short")]) };
    const other = executeRig(steps, { weights, options: { concurrency: 1 }, context: { plan } });
    await other.run();
    expect(other.adapter.runs).toEqual(["long.1", "middle.1", "tie.1", "short.1"]);
  });

  test("no more steps than slots run at once, and a shared workspace is used alone", async () => {
    const shared = { workspace: "shared" } as const;
    const wide = executeRig(
      ["a", "b", "c", "d", "e"].map((id) => step(id)),
      { options: { concurrency: 3 } },
    );
    await wide.run();
    expect(wide.adapter.peak).toBe(3);
    const alone = executeRig([...["a", "b", "c"].map((id) => step(id, shared)), step("d")], { options: { concurrency: 3 } });
    await alone.run();
    expect([alone.adapter.peak, alone.adapter.runs]).toEqual([1, ["a.1", "b.1", "c.1", "d.1"]]);
  });

  test("steps run in parallel if every step runs in place", async () => {
    const rig = executeRig(
      ["a", "b", "c", "d"].map((id) => step(id, { workspace: "shared" })),
      { options: { concurrency: 3 } },
    );
    await rig.run();
    expect(rig.adapter.peak).toBe(3);
  });

  test("a step that runs alone waits for the slots, and nothing overtakes it", async () => {
    const rig = executeRig([step("a"), step("alone", { workspace: "shared" }), step("c")], {
      weights: { a: 3, alone: 2, c: 1 },
      script: (id) => (id === "a" ? "hold" : "pass"),
    });
    const ended = rig.run();
    await rig.adapter.started("a");
    expect(rig.adapter.runs).toEqual(["a.1"]);
    rig.adapter.release("a");
    await ended;
    expect([rig.adapter.runs, rig.adapter.peak]).toEqual([["a.1", "alone.1", "c.1"], 1]);
  });

  test("a chain costs one append per step, with the end of one and the start of the next", async () => {
    const rig = executeRig([step("a"), following("b", "a"), following("c", "b")]);
    await rig.run();
    expect(rig.journal.batches.map((batch) => batch.map((event) => `${event.type} ${"step" in event ? event.step : ""}`.trim()))).toEqual([
      ["attempt-started a"],
      ["attempt-passed a", "step-finished a", "attempt-started b"],
      ["attempt-passed b", "step-finished b", "attempt-started c"],
      ["attempt-passed c", "step-finished c"],
      ["run-finished"],
    ]);
  });
});

describe("failure", () => {
  const steps = [step("bad"), step("other"), following("child", "bad"), following("grandchild", "child"), following("later", "other")];

  test("finish: running steps end, nothing new starts", async () => {
    const rig = executeRig(steps, { script: (id) => (id === "bad" ? exit : id === "other" ? "hold" : "pass") });
    const ended = rig.run();
    await rig.finished("bad");
    rig.adapter.release("other");
    expect(await ended).toEqual({
      ok: true,
      value: { status: "failed", durationMs: 0, failure: { reason: "run-failed", run: "run1", steps: ["bad"] } },
    });
    expect(rig.endings()).toEqual({ bad: "failed", other: "passed", child: "skipped", grandchild: "skipped", later: "skipped" });
    expect(
      rig
        .of("step-finished")
        .filter((event) => event.status === "skipped")
        .map((event) => [event.step, event.because]),
    ).toEqual([
      ["child", "waits for bad, which failed"],
      ["grandchild", "waits for child, which was skipped"],
      ["later", "bad failed, and nothing is started after a failure"],
    ]);
  });

  test("stop: running steps are cancelled too, and the run is failed, not cancelled", async () => {
    const rig = executeRig(steps, { script: (id) => (id === "bad" ? exit : "hold"), options: { onFailure: "stop" } });
    expect(await rig.run()).toMatchObject({ value: { status: "failed" } });
    expect(rig.endings()).toEqual({ bad: "failed", other: "cancelled", child: "skipped", grandchild: "skipped", later: "skipped" });
    expect(rig.of("attempt-cancelled")).toMatchObject([{ step: "other", attempt: 1 }]);
    expect(rig.of("step-finished").find((event) => event.step === "other")?.because).toBe("stopped because bad failed");
  });

  test("keep-going: every step that does not depend on the failure runs", async () => {
    const rig = executeRig(steps, { script: failing("bad"), options: { onFailure: "keep-going" } });
    expect(await rig.run()).toMatchObject({ value: { status: "failed", failure: { steps: ["bad"] } } });
    expect(rig.endings()).toEqual({ bad: "failed", other: "passed", child: "skipped", grandchild: "skipped", later: "passed" });
  });

  test("an optional step may fail: the run passes, its dependents are skipped", async () => {
    const rig = executeRig([step("bad", { optional: true }), following("child", "bad"), step("other")], { script: failing("bad") });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect(rig.endings()).toEqual({ bad: "failed", child: "skipped", other: "passed" });
  });

  test("a dependent runs without an optional step's artifact when its input is optional too", async () => {
    const input = (optional: boolean) => [{ name: "notes", artifact: "notes", from: "bad", optional }];
    const bad = step("bad", { optional: true, artifacts: [{ name: "notes", optional: false, implied: false }] });
    const rig = executeRig(
      [
        bad,
        step("can", { dependencies: ["bad"], inputs: input(true) }),
        step("cannot", { dependencies: ["bad"], inputs: input(false) }),
        step("through", { dependencies: ["can"], inputs: input(false) }),
      ],
      { script: failing("bad") },
    );
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect(rig.endings()).toEqual({ bad: "failed", can: "passed", cannot: "skipped", through: "skipped" });
    expect(rig.prompts.find((parts) => parts.step.id === "can")?.inputs).toEqual([]);
  });

  test("a missing upstream artifact or blob fails the step instead of becoming an empty input", async () => {
    const inputs = [{ name: "notes", artifact: "notes", from: "a", optional: false }];
    const unmade = executeRig([step("a"), step("b", { dependencies: ["a"], inputs })]);
    await unmade.run();
    expect(unmade.of("step-finished").at(-1)).toMatchObject({
      step: "b",
      status: "failed",
      failure: { reason: "input-unavailable", input: "notes", from: "a" },
    });
    expect(unmade.adapter.runs).toEqual(["a.1"]);

    const made = step("a", { artifacts: [{ name: "notes", optional: false, implied: false }] });
    const lost = executeRig([made, step("b", { dependencies: ["a"], inputs })], {
      context: { collect: async () => ({ ok: true, value: [artifact("notes")] }) },
    });
    await lost.run();
    expect(lost.of("attempt-failed")).toMatchObject([
      { step: "b", attempt: 1, failure: { reason: "input-unavailable", input: "notes", from: "a" } },
    ]);
    expect(lost.adapter.runs).toEqual(["a.1"]);
  });

  test("a step whose adapter is missing fails without an attempt", async () => {
    const rig = executeRig([step("a")], { context: { adapters: new Map() } });
    expect(await rig.run()).toMatchObject({ value: { status: "failed" } });
    expect(rig.journal.events).toMatchObject([
      { type: "step-finished", failure: { reason: "adapter-missing", step: "a" } },
      { type: "run-finished" },
    ]);
  });
});
