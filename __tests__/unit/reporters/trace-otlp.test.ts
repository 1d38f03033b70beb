/** OTLP's JSON mapping, checked field by field as opentelemetry-proto's trace.proto and the mapping's own rules say. */

import { describe, expect, it } from "vitest";
import type { EventPayload, WaveEvent } from "../../../src/core/event.ts";
import { projectRun } from "../../../src/store/project-run.ts";
import { buildTrace } from "../../../src/telemetry/trace/build-trace.ts";
import { traceAsOtlp } from "../../../src/telemetry/trace/trace-as-otlp.ts";
import fc from "../../rig/property.ts";
import { attemptPassed, attemptStarted, begin, fingerprint, result, started } from "../../rig/run-events.ts";
import { closed, failed, finished, history, journals, resumed } from "../../rig/run-histories.ts";

interface Span {
  readonly [key: string]: unknown;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number; readonly message?: string };
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
}

function spansOf(events: readonly WaveEvent[]): Span[] {
  const run = projectRun(events, () => false);
  if (run === undefined) throw new Error("the run never started");
  const document = JSON.parse(JSON.stringify(traceAsOtlp(buildTrace({ run, events, now: begin }))));
  expect(Object.keys(document)).toEqual(["resourceSpans"]);
  const [{ resource, scopeSpans }] = document.resourceSpans;
  attributes(resource.attributes);
  return scopeSpans[0].spans;
}

const fields = new Set(
  "traceId spanId parentSpanId name kind startTimeUnixNano endTimeUnixNano attributes links status traceState flags events".split(" "),
);

function valid(span: Span): void {
  expect(Object.keys(span).filter((key) => !fields.has(key))).toEqual([]);
  expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
  for (const id of [span.spanId, ...(span.parentSpanId === undefined ? [] : [span.parentSpanId])]) expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(span["kind"]).toBe(1);
  for (const at of [span.startTimeUnixNano, span.endTimeUnixNano]) expect(at).toMatch(/^\d{19}$/);
  expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
  expect([0, 1, 2]).toContain(span.status.code);
  attributes(span["attributes"]);
  for (const link of span.links ?? []) {
    expect(link.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(link.spanId).toMatch(/^[0-9a-f]{16}$/);
  }
}

/** Each key once, with one value of one type; 64-bit integers are texts. */
function attributes(given: unknown): void {
  const pairs = given as { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  expect(new Set(pairs.map(({ key }) => key)).size).toBe(pairs.length);
  for (const { key, value } of pairs) {
    const [[kind, content] = ["", undefined], ...others] = Object.entries(value);
    expect(others, key).toEqual([]);
    if (kind === "intValue") expect(content, key).toMatch(/^-?\d+$/);
    else expect(typeof content, key).toBe({ stringValue: "string", boolValue: "boolean", doubleValue: "number" }[kind]);
  }
}

describe("any history", () => {
  it("gives valid spans with ids of their own, whose parents are there and hold them", () => {
    fc.assert(
      fc.property(history, (events) => {
        const spans = spansOf(events);
        const byId = new Map(spans.map((span) => [span.spanId, span]));
        expect(byId.size).toBe(spans.length);
        for (const span of spans) {
          valid(span);
          if (span === spans[0]) continue;
          const parent = byId.get(span.parentSpanId ?? "");
          if (parent === undefined) throw new Error(`${span.name} has no parent`);
          expect(BigInt(span.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(parent.startTimeUnixNano));
          expect(BigInt(span.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(parent.endTimeUnixNano));
        }
        expect(spansOf(events)).toEqual(spans);
      }),
    );
  });
});

describe("a run", () => {
  const check: EventPayload = { type: "contract-checked", step: "a", attempt: 1, result: result("shape", { verdict: "fail" }) };
  const events = journals(
    [started({ a: [], b: ["a"], c: ["b"] }), attemptStarted("a"), check, failed("a", 1, 2), attemptStarted("a", 2)],
    [resumed, attemptStarted("a", 3), attemptPassed("a", 3), finished("passed"), closed],
  );
  const spans = spansOf(events);

  it("has a span for all that began, and codes that say what went wrong", () => {
    expect(spans.map(({ name, status }) => [name, status.code])).toEqual([
      ["run demo", 1],
      ["step a", 1],
      ["attempt 1 of a", 2],
      ["contract shape", 2],
      ["attempt 2 of a", 2],
      ["attempt 3 of a", 1],
    ]);
    expect(spans[2]?.status.message).toBe("the attempt exited successfully but produced nothing");
    expect(spans[0]?.startTimeUnixNano).toBe(`${begin + 1000}000000`);
  });

  it("is linked from the trace of a run that reused its work", () => {
    const reused: EventPayload = { type: "step-reused", step: "a", from: { run: "3f9a", attempt: 3 }, fingerprint, artifacts: [] };
    const others = journals([started({ a: [] }), reused, finished("passed"), closed]).map((event) => ({ ...event, run: "other" }));
    const linked = spansOf(others).flatMap((span) => span.links ?? []);
    expect(linked).toMatchObject([{ traceId: spans[0]?.traceId, spanId: spans[5]?.spanId }]);
  });
});
