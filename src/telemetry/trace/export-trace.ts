/**
 * Sends a trace to an OTLP/HTTP collector with OpenTelemetry's exporter, which reads endpoint, headers, certificates and compression from the standard
 * `OTEL_*` variables. The spans are those that `wave trace --format otlp` prints. https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */

import type { Attributes, HrTime } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";
import { defined } from "../../core/defined.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { OtlpTraces } from "./trace-as-otlp.ts";

type Variables = Readonly<Record<string, string | undefined>>;
type OtlpSpan = OtlpTraces["resourceSpans"][number]["scopeSpans"][number]["spans"][number];
type OtlpAttributes = OtlpSpan["attributes"];

/** Fails with a sentence if the protocol is not supported, or the collector rejects the trace or does not answer within `limitMs` milliseconds. */
export async function exportTrace(traces: OtlpTraces, env: Variables, limitMs: number): Promise<Result<void, string>> {
  const exporter = await exporterFor(env, limitMs);
  if (typeof exporter === "string") return err(exporter);
  const spans = readableSpans(traces, env);
  const outcome = await new Promise<Result<void, string>>((resolve) => {
    const timer = setTimeout(() => resolve(err(`no answer within ${limitMs / 1000} s`)), limitMs);
    exporter.export(spans, ({ code, error }) => {
      clearTimeout(timer);
      resolve(code === 0 ? ok(undefined) : err(error?.message ?? "the collector rejected the trace"));
    });
  });
  // Not awaited: everything is sent or given up by now.
  void exporter.shutdown().catch(() => undefined);
  return outcome;
}

async function exporterFor(env: Variables, timeoutMillis: number): Promise<SpanExporter | string> {
  const protocol = env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] ?? env["OTEL_EXPORTER_OTLP_PROTOCOL"] ?? "http/protobuf";
  if (protocol === "http/protobuf") {
    const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-proto");
    return new OTLPTraceExporter({ timeoutMillis });
  }
  if (protocol === "http/json") {
    const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
    return new OTLPTraceExporter({ timeoutMillis });
  }
  return `OTLP protocol \`${protocol}\` is not supported; use http/protobuf or http/json`;
}

function readableSpans({ resourceSpans }: OtlpTraces, env: Variables): ReadableSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const described = resourceFromAttributes({ ...attributesIn(resource.attributes), ...ownAttributes(env) });
    return scopeSpans.flatMap(({ scope, spans }) => spans.map((span) => readable(span, described, scope)));
  });
}

/** `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, as the SDK's own detector reads them. */
function ownAttributes(env: Variables): Attributes {
  const given = (env["OTEL_RESOURCE_ATTRIBUTES"] ?? "").split(",").flatMap((pair) => {
    const [key = "", ...value] = pair.split("=");
    return key.trim() === "" || value.length === 0 ? [] : [[key.trim(), decodeURIComponent(value.join("=").trim())] as const];
  });
  const name = env["OTEL_SERVICE_NAME"];
  return { ...Object.fromEntries(given), ...(name === undefined || name === "" ? {} : { "service.name": name }) };
}

function readable(
  span: OtlpSpan,
  resource: ReadableSpan["resource"],
  scope: { readonly name: string; readonly version: string },
): ReadableSpan {
  const contextOf = (traceId: string, spanId: string) => ({ traceId, spanId, traceFlags: 1 });
  const startTime = timeOf(span.startTimeUnixNano);
  const endTime = timeOf(span.endTimeUnixNano);
  return {
    name: span.name,
    kind: 0,
    spanContext: () => contextOf(span.traceId, span.spanId),
    ...(span.parentSpanId === undefined ? {} : { parentSpanContext: contextOf(span.traceId, span.parentSpanId) }),
    startTime,
    endTime,
    duration: between(startTime, endTime),
    ended: true,
    events: [],
    resource,
    status: { code: span.status.code, ...defined({ message: span.status.message }) },
    attributes: attributesIn(span.attributes),
    links: (span.links ?? []).map(({ traceId, spanId, attributes }) => ({
      context: contextOf(traceId, spanId),
      attributes: attributesIn(attributes),
    })),
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function attributesIn(attributes: OtlpAttributes): Attributes {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      if ("stringValue" in value) return [key, value.stringValue];
      if ("boolValue" in value) return [key, value.boolValue];
      return [key, "intValue" in value ? Number(value.intValue) : value.doubleValue];
    }),
  );
}

/** Seconds and nanoseconds. */
function timeOf(nanos: string): HrTime {
  const all = BigInt(nanos);
  return [Number(all / 1_000_000_000n), Number(all % 1_000_000_000n)];
}

function between([fromSeconds, fromNanos]: HrTime, [toSeconds, toNanos]: HrTime): HrTime {
  const nanos = toNanos - fromNanos;
  return nanos < 0 ? [toSeconds - fromSeconds - 1, nanos + 1_000_000_000] : [toSeconds - fromSeconds, nanos];
}
