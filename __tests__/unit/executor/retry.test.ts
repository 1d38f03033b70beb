/** The retry decision, as a table. */
import { describe, expect, test } from "vitest";
import type { ContractResult, Failure } from "../../../src/core/failure.ts";
import type { ContractDefinition } from "../../../src/core/pipeline.ts";
import { backoffWait, retryDecision, withJitter } from "../../../src/executor/retry.ts";
import { schemaContract, step, testContract } from "../../rig/plan-fixtures.ts";

const constant = (baseMs: number) => ({ strategy: "constant", baseMs, maxMs: 60_000 }) as const;
const shape = schemaContract({ onFailure: "retry", maxRetries: 2, backoff: constant(100) });
const tests = testContract({ onFailure: "retry", maxRetries: 1, backoff: constant(300) });
const halting = testContract({ name: "halting" });
const fresh = { work: 0, transient: 0 };
const never = { retry: false };

function failed(...contracts: ContractDefinition[]): Failure {
  const results = contracts.map(
    ({ name, type, onFailure }): ContractResult => ({ name, type, onFailure, verdict: "fail", violations: [], durationMs: 1 }),
  );
  return { reason: "contract-failed", contracts: results };
}

function limit(detail = "", retryAfterMs?: number): Failure {
  return {
    reason: "agent-failed",
    kind: "rate-limit",
    detail,
    status: 429,
    tail: "",
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

describe("retryDecision", () => {
  test.each<[string, Failure, ContractDefinition[], { work: number; transient: number }, object]>([
    ["a contract that retries", failed(shape), [shape, halting], fresh, { retry: true, budget: "work", waitMs: 100 }],
    ["its last retry", failed(shape), [shape], { work: 1, transient: 0 }, { retry: true, budget: "work", waitMs: 100 }],
    ["its budget spent", failed(shape), [shape], { work: 2, transient: 0 }, never],
    ["two that retry: the longest wait", failed(shape, tests), [shape, tests], fresh, { retry: true, budget: "work", waitMs: 300 }],
    ["two that retry, one spent", failed(shape, tests), [shape, tests], { work: 1, transient: 0 }, never],
    ["one that halts beside one that retries", failed(shape, halting), [shape, halting], fresh, never],
    [
      "an exit status where any contract retries",
      { reason: "adapter-exit", exitCode: 1, tail: "" },
      [halting, shape],
      fresh,
      { retry: true, budget: "work", waitMs: 100 },
    ],
    ["an exit status without contracts", { reason: "adapter-exit", exitCode: 1, tail: "" }, [], fresh, never],
    ["a timeout where none retries", { reason: "timeout", limitMs: 1, tail: "" }, [halting], fresh, never],
    ["empty output", { reason: "empty-output", detail: "" }, [shape], fresh, { retry: true, budget: "work", waitMs: 100 }],
    [
      "a crash",
      { reason: "adapter-crash", signal: "SIGKILL", tail: "" },
      [],
      { work: 5, transient: 0 },
      { retry: true, budget: "transient", waitMs: 1000 },
    ],
    ["a second crash", { reason: "adapter-crash", signal: "SIGKILL", tail: "" }, [shape], { work: 0, transient: 1 }, never],
    [
      "no processes left",
      { reason: "spawn-failed", command: "x", code: "EAGAIN", detail: "" },
      [],
      fresh,
      { retry: true, budget: "transient", waitMs: 1000 },
    ],
    ["a rate limit", limit(), [], fresh, { retry: true, budget: "transient", waitMs: 5000 }],
    ["a third rate limit", limit(), [], { work: 0, transient: 2 }, { retry: true, budget: "transient", waitMs: 20_000 }],
    ["a fifth rate limit", limit(), [], { work: 0, transient: 4 }, never],
    [
      "a rate limit with `retry-after`",
      limit("", 12_000),
      [],
      fresh,
      { retry: true, budget: "transient", waitMs: 12_000, requested: true },
    ],
    [
      "a rate limit whose message names a wait",
      limit("Rate limit reached. Please try again in 1.5s."),
      [],
      fresh,
      { retry: true, budget: "transient", waitMs: 1500, requested: true },
    ],
    ["a rate limit that requires an hour", limit("", 3_600_000), [], fresh, never],
    ["no such program", { reason: "spawn-failed", command: "x", code: "ENOENT", detail: "" }, [shape], fresh, never],
    ["a contract that cannot be evaluated", { reason: "contract-error", contract: "shape", detail: "" }, [shape], fresh, never],
    [
      "a contract that exceeds a limit",
      { reason: "contract-limit-exceeded", contract: "shape", limit: { what: "memory", max: 1e9 } },
      [shape],
      fresh,
      never,
    ],
    ["a leaked secret", { reason: "secret-leaked", artifact: "out" }, [shape], fresh, never],
    ["too much memory", { reason: "memory-exceeded", limitBytes: 1, peakBytes: 2 }, [shape], fresh, never],
    ["cancellation", { reason: "cancelled", by: "SIGINT" }, [shape], fresh, never],
  ])("%s", (_, failure, contracts, history, expected) => {
    expect(retryDecision(failure, step("a", { contracts }), history)).toEqual(expected);
  });
});

test("waits grow by the strategy, up to the maximum", () => {
  const waits = (strategy: "none" | "constant" | "linear" | "exponential") =>
    [1, 2, 3, 4].map((ordinal) => backoffWait({ strategy, baseMs: 100, maxMs: 350 }, ordinal));
  expect([waits("none"), waits("constant"), waits("linear"), waits("exponential")]).toEqual([
    [0, 0, 0, 0],
    [100, 100, 100, 100],
    [100, 200, 300, 350],
    [100, 200, 350, 350],
  ]);
});

test("jitter removes up to half of a wait", () => {
  const wait = { waitMs: 1000 };
  expect([withJitter(wait, () => 0), withJitter(wait, () => 0.5), withJitter(wait, () => 0.999999)]).toEqual([500, 750, 1000]);
});

test("jitter never shortens a wait that a service requires", () => {
  const wait = { waitMs: 1000, requested: true } as const;
  expect([withJitter(wait, () => 0), withJitter(wait, () => 0.999999)]).toEqual([1000, 1100]);
});
