import { expect, test } from "vitest";
import type { PayloadOf } from "../../../src/core/event.ts";
import { createRedactor } from "../../../src/redaction/redactor.ts";
import { scrubEvent } from "../../../src/store/scrub-event.ts";
import { attemptStarted, result } from "../../rig/run-events.ts";

test("secrets are scrubbed at any depth", () => {
  const payload = {
    type: "contract-checked",
    step: "a",
    attempt: 1,
    result: result("shape", { verdict: "fail", violations: [{ message: "it says hunter22" }], tail: "hunter22\n" }),
  } as const;
  expect(scrubEvent(payload, createRedactor(["hunter22"]))).toEqual({
    ...payload,
    result: { ...payload.result, violations: [{ message: "it says ***" }], tail: "***\n" },
  });
});

test("values of fixed lists are kept even if a secret is equal to one", () => {
  const redactor = createRedactor(["attempt-failed", "failed", "timeout", "run-failed"]);
  const payload: PayloadOf<"attempt-failed"> = {
    type: "attempt-failed",
    step: "a",
    attempt: 1,
    durationMs: 5,
    failure: { reason: "timeout", limitMs: 5, tail: "timeout: it failed" },
    artifacts: [],
  };
  expect(scrubEvent(payload, redactor)).toEqual({ ...payload, failure: { reason: "timeout", limitMs: 5, tail: "***: it ***" } });
});

test("an event without secrets is returned without a copy", () => {
  const payload = attemptStarted("a");
  expect(scrubEvent(payload, createRedactor([]))).toBe(payload);
});
