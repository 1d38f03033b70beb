/** The attempts of one step: their inputs, their verdicts, and when another one follows. */
import { describe, expect, test } from "vitest";
import type { Failure } from "../../../src/core/failure.ts";
import type { Backoff } from "../../../src/core/pipeline.ts";
import { error, executeRig, fail, pass } from "../../rig/execute-rig.ts";
import { fakeClock } from "../../rig/fake-clock.ts";
import { schemaContract, step, testContract } from "../../rig/plan-fixtures.ts";

const exponential: Backoff = { strategy: "exponential", baseMs: 1000, maxMs: 60_000 };
const out = [{ name: "out", optional: false, implied: false }];
const retried = schemaContract({ onFailure: "retry", maxRetries: 3, backoff: exponential });
const exit: Failure = { reason: "adapter-exit", exitCode: 2, tail: "no" };

describe("an attempt", () => {
  test("gets its inputs, prompt, env and secrets, and passes its artifacts on", async () => {
    const a = step("a", { artifacts: out });
    const inputs = [{ name: "report", artifact: "out", from: "a", optional: false }];
    const b = step("b", {
      dependencies: ["a"],
      inputs,
      env: { LEVEL: "1" },
      secrets: ["TOKEN"],
      persona: { ...step("b").persona, model: "m1" },
    });
    const rig = executeRig([a, b], {
      context: { input: "the input", storeLog: async () => ({ ok: true, value: `sha256:${"a".repeat(64)}` }) },
    });
    await rig.run();
    const [made] = rig.of("attempt-passed")[0]?.artifacts ?? [];
    expect(rig.workspaces.opened[1]).toMatchObject({
      attempt: 1,
      prompt: "do b",
      inputs: [{ name: "report", source: `/blobs/${made?.digest}`, mediaType: "text/plain" }],
    });
    expect(rig.adapter.contexts[1]).toMatchObject({
      attempt: { runId: "run1" },
      prompt: "do b",
      env: { LEVEL: "1", TOKEN: "value of TOKEN" },
    });
    expect(rig.prompts[1]).toMatchObject({
      runInput: "the input",
      inputs: [{ name: "report", path: "/workspaces/run1/b/1/inputs/report", size: 8, from: "a" }],
    });
    expect(rig.of("attempt-started")[1]).toMatchObject({
      step: "b",
      model: "m1",
      inputs: [{ name: "report", digest: made?.digest, from: "a" }],
      probe: false,
    });
    expect(rig.of("attempt-passed")[1]).toMatchObject({ log: `sha256:${"a".repeat(64)}` });
    expect(rig.workspaces.discarded).toEqual(["a.1 passed", "b.1 passed"]);
  });

  test("fails if its log cannot be stored, even if everything else passed", async () => {
    const failure: Failure = { reason: "state-unwritable", path: "log", code: "ENOSPC", detail: "full" };
    const rig = executeRig([step("a")], { context: { storeLog: async () => ({ ok: false, error: failure }) } });
    await rig.run();
    expect(rig.of("attempt-failed")).toMatchObject([{ failure }]);
  });

  test("fails if artifacts are missing, and is retried only if a contract allows retries", async () => {
    const missing: Failure = { reason: "artifact-missing", artifacts: ["out"], searched: [] };
    const context = { collect: async () => ({ ok: false, error: missing }) as const };
    const once = executeRig([step("a", { contracts: [schemaContract()] })], { context });
    await once.run();
    expect(once.adapter.runs).toEqual(["a.1"]);
    const again = executeRig([step("a", { contracts: [retried] })], { context });
    await again.run();
    expect(again.adapter.runs).toEqual(["a.1", "a.2", "a.3", "a.4"]);
    expect(again.of("attempt-failed").at(-1)).toMatchObject({ failure: missing });
  });
});

describe("contracts", () => {
  test("retry a failed step with feedback, after growing waits, in a fresh workspace", async () => {
    const rig = executeRig([step("a", { artifacts: out, contracts: [retried] })], {
      verify: ({ attempt }) => (attempt.number < 3 ? fail : pass),
    });
    expect(await rig.run()).toMatchObject({ value: { status: "passed", durationMs: 3000 } });
    expect(rig.clock.waits).toEqual([1000, 2000]);
    expect(rig.of("attempt-failed").map((event) => event.retry)).toEqual([
      { attempt: 2, delayMs: 1000 },
      { attempt: 3, delayMs: 2000 },
    ]);
    expect(rig.prompts[0]?.feedback).toBeUndefined();
    expect(rig.prompts[1]?.feedback).toMatchObject({
      attempt: 1,
      tail: "tail of a.1",
      failure: {
        reason: "contract-failed",
        contracts: [{ name: "shape", violations: [{ message: "wrong", location: { file: "out.json", line: 3, column: 5 } }] }],
      },
    });
    expect(rig.workspaces.discarded).toEqual(["a.1 failed", "a.2 failed", "a.3 passed"]);
    expect(rig.of("contract-checked").map((event) => [event.attempt, event.result.verdict])).toEqual([
      [1, "fail"],
      [2, "fail"],
      [3, "pass"],
    ]);
    expect(rig.of("step-finished")).toMatchObject([{ status: "passed", attempt: 3 }]);
  });

  test("free the slot of a step that waits for its next attempt", async () => {
    const clock = fakeClock({ patient: true });
    const rig = executeRig([step("a", { contracts: [retried] }), step("b")], {
      clock,
      weights: { a: 2 },
      options: { concurrency: 1 },
      verify: ({ attempt }) => (attempt.number === 1 ? fail : pass),
    });
    const ended = rig.run();
    await rig.adapter.started("b");
    clock.advance(1000);
    expect(await ended).toMatchObject({ value: { status: "passed" } });
    expect(rig.adapter.runs).toEqual(["a.1", "b.1", "a.2"]);
  });

  test("prefer halt over retry, and pass a step with warn", async () => {
    const both = executeRig([step("a", { contracts: [retried, testContract()] })], { verify: () => fail });
    await both.run();
    expect([both.adapter.runs, both.endings()]).toEqual([["a.1"], { a: "failed" }]);
    const warned = executeRig([step("a", { contracts: [testContract({ onFailure: "warn" })] })], { verify: () => fail });
    expect(await warned.run()).toMatchObject({ value: { status: "passed" } });
    expect(warned.of("contract-checked")).toMatchObject([{ result: { verdict: "fail", onFailure: "warn" } }]);
  });

  test("stop retrying when the retries are used up", async () => {
    const rig = executeRig([step("a", { contracts: [retried] })], { verify: () => fail });
    await rig.run();
    expect(rig.adapter.runs).toHaveLength(4);
    expect(rig.of("attempt-failed").at(-1)?.retry).toBeUndefined();
    expect(rig.of("step-finished")).toMatchObject([{ status: "failed", attempt: 4, failure: { reason: "contract-failed" } }]);
  });

  test("are evaluated again after an evaluation error, without running the persona again", async () => {
    let verdicts = [error, error, pass];
    const verify = () => verdicts.shift() ?? pass;
    const clears = executeRig([step("a", { contracts: [retried] })], { verify });
    expect(await clears.run()).toMatchObject({ value: { status: "passed" } });
    expect([clears.adapter.runs, clears.clock.waits]).toEqual([["a.1"], [500, 1000]]);
    verdicts = [error, error, error, pass];
    const stays = executeRig([step("a", { contracts: [retried] })], { verify });
    await stays.run();
    expect([stays.adapter.runs, verdicts]).toEqual([["a.1"], [pass]]);
    expect(stays.of("step-finished")).toMatchObject([{ failure: { reason: "contract-error", contract: "shape", detail: "judge away" } }]);
  });

  test("of an unknown type are an error, never a pass", async () => {
    const rig = executeRig([step("a", { contracts: [testContract()] })], { context: { contractTypes: new Map() } });
    await rig.run();
    expect(rig.of("attempt-failed")).toMatchObject([{ failure: { reason: "contract-error", contract: "tests" } }]);
  });

  test("read only the verified bytes of the step's artifacts", async () => {
    const read: unknown[] = [];
    const rig = executeRig([step("a", { artifacts: out, contracts: [schemaContract()] })], {
      verify: async ({ readArtifact }) => {
        read.push(await readArtifact("out"), await readArtifact("other"));
        return pass;
      },
    });
    await rig.run();
    expect(read).toEqual([
      { ok: true, value: Buffer.from("out of a") },
      { ok: false, error: { reason: "artifact-missing", artifacts: ["other"], searched: [] } },
    ]);
  });
});

describe("other failures", () => {
  test("retry a crash once without a contract, but not an exit status", async () => {
    const crash: Failure = { reason: "adapter-crash", signal: "SIGSEGV", tail: "" };
    const rig = executeRig([step("crash"), step("exit")], {
      script: (id, nth) => (id === "exit" ? exit : nth < 3 ? crash : "pass"),
      options: { onFailure: "keep-going" },
    });
    await rig.run();
    expect([...rig.adapter.runs].sort()).toEqual(["crash.1", "crash.2", "exit.1"]);
    expect(rig.endings()).toEqual({ crash: "failed", exit: "failed" });
  });

  test("retry an exit status if a contract allows retries, with the jitter of the run", async () => {
    const rig = executeRig([step("a", { contracts: [retried] })], {
      script: (_, nth) => (nth === 1 ? exit : "pass"),
      context: { random: () => 0 },
    });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect(rig.of("attempt-failed")[0]?.retry).toEqual({ attempt: 2, delayMs: 500 });
  });
});
