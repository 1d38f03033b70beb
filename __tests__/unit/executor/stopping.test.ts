/** Runs that are cancelled, that lose their journal, or that hit a bug. */
import { describe, expect, test } from "vitest";
import { executeRig, fail, pass, type RigContext } from "../../rig/execute-rig.ts";
import { fakeClock } from "../../rig/fake-clock.ts";
import { diskFull } from "../../rig/memory-journal.ts";
import { schemaContract, step } from "../../rig/plan-fixtures.ts";

const cancelled = { ok: true, value: { status: "cancelled", failure: { reason: "cancelled", by: "SIGINT" } } };
const retried = schemaContract({ onFailure: "retry", backoff: { strategy: "constant", baseMs: 60_000, maxMs: 60_000 } });

describe("cancellation", () => {
  test("before a start executes nothing", async () => {
    const rig = executeRig([step("a"), step("b", { dependencies: ["a"] })]);
    rig.cancel("SIGINT");
    expect(await rig.run()).toMatchObject(cancelled);
    expect([rig.adapter.runs, rig.endings()]).toEqual([[], { a: "cancelled", b: "cancelled" }]);
    expect(rig.of("run-finished")).toMatchObject([{ status: "cancelled", failure: { reason: "cancelled", by: "SIGINT" } }]);
  });

  test("while a step runs aborts its child, and starts no waiting step", async () => {
    const rig = executeRig([step("a"), step("b", { dependencies: ["a"] }), step("c")], {
      script: () => "hold",
      options: { concurrency: 1 },
    });
    const ended = rig.run();
    await rig.adapter.started("a");
    rig.cancel("SIGINT");
    expect(await ended).toMatchObject(cancelled);
    expect(rig.endings()).toEqual({ a: "cancelled", b: "cancelled", c: "cancelled" });
    expect(rig.of("attempt-cancelled")).toMatchObject([{ step: "a", attempt: 1 }]);
    expect(rig.of("step-finished").at(-1)).toMatchObject({ step: "a", because: "the run was cancelled by SIGINT" });
    expect(rig.workspaces.discarded).toEqual(["a.1 failed"]);
  });

  test("while the start of a step is written spawns no child", async () => {
    const rig = executeRig([step("a")]);
    const ended = rig.run();
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    rig.cancel("SIGINT");
    expect(await ended).toMatchObject(cancelled);
    expect([rig.adapter.runs, rig.endings()]).toEqual([[], { a: "cancelled" }]);
  });

  test("while artifacts are collected or a contract is evaluated records no verdict", async () => {
    for (const stage of ["collect", "verify"]) {
      const rig = executeRig([step("a", { contracts: [schemaContract()] })], {
        verify: () => {
          if (stage === "verify") rig.cancel("SIGINT");
          return fail;
        },
        context: {
          collect: async () => {
            if (stage === "collect") rig.cancel("SIGINT");
            return { ok: true, value: [] };
          },
        },
      });
      expect(await rig.run()).toMatchObject(cancelled);
      expect([rig.endings(), rig.of("contract-checked")]).toEqual([{ a: "cancelled" }, []]);
    }
  });

  test("while a retry waits ends the wait", async () => {
    const clock = fakeClock({ patient: true });
    const rig = executeRig([step("a", { contracts: [retried] })], { clock, verify: () => fail });
    const ended = rig.run();
    await clock.asleep();
    rig.cancel("SIGTERM");
    expect(await ended).toMatchObject({ value: { status: "cancelled", durationMs: 0 } });
    expect([rig.adapter.runs, rig.endings()]).toEqual([["a.1"], { a: "cancelled" }]);
  });

  test("while a contract waits for another evaluation ends the wait", async () => {
    const clock = fakeClock({ patient: true });
    const rig = executeRig([step("a", { contracts: [retried] })], { clock, verify: () => ({ verdict: "error", violations: [] }) });
    const ended = rig.run();
    await clock.asleep();
    rig.cancel("SIGINT");
    expect(await ended).toMatchObject(cancelled);
    expect(rig.endings()).toEqual({ a: "cancelled" });
  });

  test("after a step's last contract has passed keeps the step as passed", async () => {
    const rig = executeRig([step("a", { contracts: [schemaContract()] }), step("b", { dependencies: ["a"] })], {
      verify: () => {
        rig.cancel("SIGINT");
        return pass;
      },
    });
    expect(await rig.run()).toMatchObject(cancelled);
    expect(rig.endings()).toEqual({ a: "passed", b: "cancelled" });
  });

  test("does not wait for a project tree that takes too long", async () => {
    const rig = executeRig([step("a")], { context: { projectNow: () => new Promise(() => undefined) } });
    rig.cancel("SIGINT");
    expect(await rig.run()).toMatchObject(cancelled);
    expect(rig.of("run-finished")[0]).not.toHaveProperty("tree");
  });
});

describe("a journal that cannot be written", () => {
  test("ends the run with its failure at any append", async () => {
    for (const breakAt of [0, 1, 2, 3, 4]) {
      const rig = executeRig([step("a"), step("held"), step("b", { dependencies: ["a"] }), step("c", { dependencies: ["b"] })], {
        breakAt,
        script: (id) => (id === "held" && breakAt < 4 ? "hold" : "pass"),
      });
      expect(await rig.run()).toEqual({ ok: false, error: diskFull });
      expect(rig.journal.batches).toHaveLength(breakAt + 1);
      expect(rig.published).toEqual(rig.journal.events);
    }
  });

  test("prevents attempts whose start is not on disk", async () => {
    const rig = executeRig([step("a"), step("b", { dependencies: ["a"] })], { breakAt: 1 });
    await rig.run();
    expect(rig.adapter.runs).toEqual(["a.1"]);
  });
});

describe("a bug", () => {
  const thrower = (): never => {
    throw new Error("a bug");
  };
  const injected: Readonly<Record<string, Partial<RigContext>>> = {
    fingerprintOf: { fingerprintOf: thrower },
    assemblePrompt: { assemblePrompt: thrower },
    collect: { collect: thrower },
    notifyReporters: { notifyReporters: thrower },
    openLog: { openLog: thrower },
  };

  test.each(Object.entries(injected))("in %s is thrown again without a hang", async (_, context) => {
    await expect(executeRig([step("a"), step("b")], { context }).run()).rejects.toThrow("a bug");
  });

  test("in an adapter stops the other attempts first", async () => {
    const rig = executeRig([step("held"), step("bad")], { script: (id) => (id === "held" ? "hold" : thrower) });
    await expect(rig.run()).rejects.toThrow("a bug");
    expect(rig.adapter.contexts.every((context) => context.signal.aborted)).toBe(true);
    expect([...rig.workspaces.discarded].sort()).toEqual(["bad.1 failed", "held.1 failed"]);
  });

  test("such as a plan with a cycle does not hang", async () => {
    const rig = executeRig([step("a", { dependencies: ["b"] }), step("b", { dependencies: ["a"] })]);
    await expect(rig.run()).rejects.toThrow("2 steps can never start");
  });
});
