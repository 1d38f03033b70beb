/** One step's attempts: what they are given, how they are judged, when another follows. */
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
  test("is given its inputs, prompt, env and secrets, and its artifacts go on", async () => {
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

  test("fails when its log cannot be kept, however well it went", async () => {
    const failure: Failure = { reason: "state-unwritable", path: "log", code: "ENOSPC", detail: "full" };
    const rig = executeRig([step("a")], { context: { storeLog: async () => ({ ok: false, error: failure }) } });
    await rig.run();
    expect(rig.of("attempt-failed")).toMatchObject([{ failure }]);
  });

  test("fails when artifacts are missing, and is tried again only where a contract retries", async () => {
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
  test("a failed contract is retried with feedback, after a wait that grows, in a fresh workspace", async () => {
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

  test("a step that waits for its next attempt gives its slot to others", async () => {
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

  test("halt beats retry, and warn fails nothing", async () => {
    const both = executeRig([step("a", { contracts: [retried, testContract()] })], { verify: () => fail });
    await both.run();
    expect([both.adapter.runs, both.endings()]).toEqual([["a.1"], { a: "failed" }]);
    const warned = executeRig([step("a", { contracts: [testContract({ onFailure: "warn" })] })], { verify: () => fail });
    expect(await warned.run()).toMatchObject({ value: { status: "passed" } });
    expect(warned.of("contract-checked")).toMatchObject([{ result: { verdict: "fail", onFailure: "warn" } }]);
  });

  test("retries end with the budget", async () => {
    const rig = executeRig([step("a", { contracts: [retried] })], { verify: () => fail });
    await rig.run();
    expect(rig.adapter.runs).toHaveLength(4);
    expect(rig.of("attempt-failed").at(-1)?.retry).toBeUndefined();
    expect(rig.of("step-finished")).toMatchObject([{ status: "failed", attempt: 4, failure: { reason: "contract-failed" } }]);
  });

  test("a contract that cannot be evaluated is evaluated again on its own; the persona is not", async () => {
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

  test("an unknown contract type is an error, never a pass", async () => {
    const rig = executeRig([step("a", { contracts: [testContract()] })], { context: { contractTypes: new Map() } });
    await rig.run();
    expect(rig.of("attempt-failed")).toMatchObject([{ failure: { reason: "contract-error", contract: "tests" } }]);
  });

  test("a contract reads the verified bytes of the step's artifacts, and no others", async () => {
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
  test("a crash is tried once more, without a contract's leave; an exit status is the work's", async () => {
    const crash: Failure = { reason: "adapter-crash", signal: "SIGSEGV", tail: "" };
    const rig = executeRig([step("crash"), step("exit")], {
      script: (id, nth) => (id === "exit" ? exit : nth < 3 ? crash : "pass"),
      options: { onFailure: "keep-going" },
    });
    await rig.run();
    expect([...rig.adapter.runs].sort()).toEqual(["crash.1", "crash.2", "exit.1"]);
    expect(rig.endings()).toEqual({ crash: "failed", exit: "failed" });
  });

  test("an exit status is retried where a contract retries, with the jitter of the run", async () => {
    const rig = executeRig([step("a", { contracts: [retried] })], {
      script: (_, nth) => (nth === 1 ? exit : "pass"),
      context: { random: () => 0 },
    });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect(rig.of("attempt-failed")[0]?.retry).toEqual({ attempt: 2, delayMs: 500 });
  });
});
