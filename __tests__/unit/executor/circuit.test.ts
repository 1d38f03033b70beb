/** Circuit breakers: their positions, and their effects in runs. */
import { describe, expect, test } from "vitest";
import type { CircuitBreaker } from "../../../src/core/pipeline.ts";
import type { BreakerSample } from "../../../src/core/state.ts";
import { breakerKey, circuitPosition } from "../../../src/executor/circuit.ts";
import { error, executeRig, fail, pass } from "../../rig/execute-rig.ts";
import { digest, schemaContract, step } from "../../rig/plan-fixtures.ts";

const breaker: CircuitBreaker = { failureThreshold: 0.5, windowSize: 4, minimumAttempts: 2, resetTimeoutMs: 600_000 };
const guarded = schemaContract({ breaker });
const start = Date.parse("2026-01-01T00:00:00.000Z");
const samples = (ageMs: number, ...failed: boolean[]): BreakerSample[] =>
  failed.map((one) => ({ failed: one, at: new Date(start - ageMs).toISOString() }));

describe("circuitPosition", () => {
  test.each([
    ["nothing happened yet", samples(0), "closed"],
    ["too few attempts", samples(0, true), "closed"],
    ["under the threshold", samples(0, true, false, false), "closed"],
    ["at the threshold", samples(0, true, false), "open"],
    ["just before the reset timeout", samples(599_999, true, true), "open"],
    ["at the reset timeout", samples(600_000, true, true), "half-open"],
  ])("%s", (_, window, kind) => {
    expect(circuitPosition(breaker, window, start).kind).toBe(kind);
  });

  test("opens on the first failure with a threshold of 0, not without one", () => {
    const strict = { ...breaker, failureThreshold: 0 };
    expect(circuitPosition(strict, samples(0, false, false), start)).toEqual({ kind: "closed" });
    expect(circuitPosition(strict, samples(0, false, true), start)).toEqual({
      kind: "open",
      failed: 1,
      window: 2,
      retryAt: "2026-01-01T00:10:00.000Z",
    });
  });

  test("has a key that changes with the contract, its schema and the persona, but not with the contract's position", () => {
    const files = (text: string) => new Map([["shape.schema.json", { path: "shape.schema.json", text, digest: digest(text) }]]);
    const key = breakerKey(guarded, digest("p"), files("{}"));
    const range = { start: { line: 9, column: 9 }, end: { line: 9, column: 10 } };
    expect(breakerKey({ ...guarded, origin: { file: "other.yaml", range } }, digest("p"), files("{}"))).toBe(key);
    const others = [
      breakerKey({ ...guarded, artifact: "other" }, digest("p"), files("{}")),
      breakerKey(guarded, digest("q"), files("{}")),
      breakerKey(guarded, digest("p"), files("true")),
    ];
    expect(new Set([key, ...others]).size).toBe(4);
  });
});

describe("circuits of a run", () => {
  const retried = { ...guarded, onFailure: "retry", maxRetries: 9 } as const;

  test("stop the run when open, with one event, even for an optional step", async () => {
    const steps = [step("a", { contracts: [guarded], optional: true }), step("b", { contracts: [guarded] }), step("c")];
    const rig = executeRig(steps, { samples: samples(0, true, true), options: { onFailure: "keep-going", concurrency: 1 } });
    expect(await rig.run()).toMatchObject({ value: { status: "failed", failure: { reason: "run-failed", steps: ["a"] } } });
    expect([rig.adapter.runs, rig.endings()]).toEqual([[], { a: "failed", b: "skipped", c: "skipped" }]);
    const [opened] = rig.of("circuit-opened");
    expect(rig.of("circuit-opened")).toHaveLength(1);
    expect(opened).toMatchObject({ step: "a", contract: "shape", failed: 2, window: 2 });
    expect(rig.of("step-finished")[0]).toMatchObject({
      failure: { reason: "circuit-open", contract: "shape", persona: "worker", failed: 2, window: 2, retryAt: "2026-01-01T00:10:00.000Z" },
    });
  });

  test("open at the failure that fills the window, without a retry", async () => {
    const rig = executeRig([step("a", { contracts: [retried] })], { verify: () => fail });
    await rig.run();
    expect(rig.adapter.runs).toEqual(["a.1", "a.2"]);
    expect(rig.of("attempt-failed").map(({ retry }) => retry?.attempt)).toEqual([2, undefined]);
    expect(rig.of("circuit-opened")).toMatchObject([{ step: "a", failed: 2, window: 2 }]);
    expect(rig.of("step-finished")).toMatchObject([{ failure: { reason: "circuit-open" } }]);
    expect(rig.of("contract-checked").every((event) => event.breaker === rig.of("attempt-started")[0]?.breakers[0])).toBe(true);
  });

  test("admit one probe after the reset timeout, whose success closes them", async () => {
    const steps = ["a", "b", "c"].map((id) => step(id, { contracts: [guarded] }));
    const rig = executeRig(steps, {
      samples: samples(600_000, true, true, true, true),
      options: { concurrency: 3 },
      script: (id) => (id === "a" ? "hold" : "pass"),
    });
    const ended = rig.run();
    await rig.adapter.started("a");
    expect(rig.adapter.runs).toEqual(["a.1"]);
    rig.adapter.release("a");
    expect(await ended).toMatchObject({ value: { status: "passed" } });
    expect(rig.of("attempt-started").map((event) => [event.step, event.probe])).toEqual([
      ["a", true],
      ["b", false],
      ["c", false],
    ]);
    expect(rig.of("circuit-reset")).toMatchObject([{ breaker: rig.of("attempt-started")[0]?.breakers[0] }]);
  });

  test("stay open for waiting steps if the probe fails", async () => {
    const steps = ["a", "b"].map((id) => step(id, { contracts: [guarded] }));
    const rig = executeRig(steps, { samples: samples(600_000, true, true), verify: () => fail, options: { onFailure: "keep-going" } });
    expect(await rig.run()).toMatchObject({ value: { failure: { steps: ["a", "b"] } } });
    expect(rig.adapter.runs).toEqual(["a.1"]);
    expect(rig.of("step-finished").at(-1)).toMatchObject({ step: "b", failure: { reason: "circuit-open", failed: 3, window: 3 } });
  });

  test("do not count attempts whose contracts could not be evaluated", async () => {
    const rig = executeRig([step("a", { contracts: [guarded] })], { samples: samples(0, true), verify: () => error });
    await rig.run();
    expect(rig.of("step-finished")).toMatchObject([{ failure: { reason: "contract-error" } }]);
    expect(await rig.context.services.state.breakerWindow(rig.of("attempt-started")[0]?.breakers[0] ?? "", 10)).toEqual({
      ok: true,
      value: samples(0, true),
    });
  });

  test("neither block nor count replays", async () => {
    const steps = [step("a", { contracts: [guarded], adapter: { name: "replay", chosenBy: "flag" } })];
    const rig = executeRig(steps, { samples: samples(0, true, true), verify: () => fail });
    (rig.context.services.adapters as Map<string, typeof rig.adapter>).set("replay", rig.adapter);
    expect(await rig.run()).toMatchObject({ value: { status: "failed", failure: { reason: "run-failed" } } });
    expect([rig.adapter.runs, rig.breakers.asked, rig.of("circuit-opened")]).toEqual([["a.1"], 0, []]);
    expect(rig.of("contract-checked").map((event) => event.breaker)).toEqual([undefined]);
  });

  test("have their windows cleared first with --reset-circuit, once per breaker", async () => {
    const steps = ["a", "b"].map((id) => step(id, { contracts: [guarded] }));
    const rig = executeRig(steps, { samples: samples(0, true, true), verify: () => pass, options: { resetCircuit: true } });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect(rig.journal.events.filter((event) => event.type === "circuit-reset")).toHaveLength(1);
    expect(rig.journal.events[0]?.type).toBe("circuit-reset");
  });

  test("query state only if there is a breaker, and end the run if it cannot be read", async () => {
    const quiet = executeRig([step("a", { contracts: [schemaContract()] })]);
    await quiet.run();
    expect(quiet.breakers.asked).toBe(0);
    const failure = { reason: "state-unreadable", path: "state.db", detail: "EIO" } as const;
    const blind = executeRig([step("a", { contracts: [guarded] })], {
      context: { state: { breakerWindow: async () => ({ ok: false, error: failure }) } },
    });
    expect(await blind.run()).toEqual({ ok: false, error: failure });
    expect(blind.adapter.runs).toEqual([]);
  });
});
