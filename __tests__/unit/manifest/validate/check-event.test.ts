/** Events from another machine must have the shape that Wave writes. */
import { describe, expect, it } from "vitest";
import type { EventPayload, WaveEvent } from "../../../../src/core/event.ts";
import { eventProblem } from "../../../../src/manifest/validate/check-event.ts";
import { noHead, sealEvent } from "../../../../src/store/journal-line.ts";
import { attemptStarted, result, started } from "../../../rig/run-events.ts";

const envelope = { v: 2, run: "r", writer: "w", seq: 2, clock: 2, ts: "2026-01-31T12:00:00.000Z", prev: noHead } as const;
const event = (payload: EventPayload): WaveEvent => sealEvent(envelope, payload).event;
const failed = (failure: object) => event({ type: "step-finished", step: "a", status: "failed", failure } as unknown as EventPayload);

describe("an event that Wave writes", () => {
  it.each<[string, EventPayload]>([
    ["the start of a run", started({ a: [] })],
    ["the start of an attempt", attemptStarted("a")],
    ["the result of a contract", { type: "contract-checked", step: "a", attempt: 1, result: result("shape") }],
  ])("has no problem: %s", (_what, payload) => {
    expect(eventProblem(event(payload))).toBeUndefined();
  });

  it("has no problem with a failure and with a signature", () => {
    expect(eventProblem({ ...failed({ reason: "empty-output", detail: "nothing" }), sig: "v1:00" })).toBeUndefined();
  });
});

describe("another event", () => {
  it.each<[string, WaveEvent, string]>([
    ["a step named after a path", event(attemptStarted("../a")), "one of its names is not valid for a step or an artifact"],
    ["an empty step", event(attemptStarted("")), "one of its names is not valid for a step or an artifact"],
    ["a failure without its members", failed({ reason: "contract-failed" }), "its failure: does not match the schema (required)"],
    ["a failure of an unknown kind", failed({ reason: "constructor" }), "its failure: its reason is unknown to this version"],
    ["a clock out of range", { ...event(attemptStarted("a")), clock: 2 ** 49 }, "its clock is out of range"],
    ["a time that is none", { ...event(attemptStarted("a")), ts: "yesterday" }, "its time is not a timestamp"],
  ])("is refused: %s", (_what, odd, problem) => {
    expect(eventProblem(odd)).toBe(problem);
  });
});
