/**
 * Writes a trace in OTLP's JSON mapping (opentelemetry-proto, `ExportTraceServiceRequest`): ids in lower-case hex, enums as numbers, 64-bit
 * integers as strings. Pure.
 */
import { defined } from "../../core/defined.ts";
import type { TraceParent } from "../../core/traceparent.ts";
import { attemptSpanId, spanId, traceIdOf } from "./span-ids.ts";
import type { Trace, TraceAttempt, TraceCheck, TraceStep, WorkOrigin } from "./trace.ts";

type Attribute = { readonly key: string; readonly value: OtlpValue };
type OtlpValue = { readonly stringValue: string } | { readonly intValue: string } | { readonly doubleValue: number } | BoolValue;
type BoolValue = { readonly boolValue: boolean };

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** SPAN_KIND_INTERNAL. */
  readonly kind: 1;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: readonly Attribute[] }[];
  /** 0 unset, 1 ok, 2 error. */
  readonly status: { readonly code: 0 | 1 | 2; readonly message?: string };
}

/** The request body of `/v1/traces` of an OTLP/HTTP collector. */
export interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string; readonly version: string };
      readonly spans: readonly OtlpSpan[];
    }[];
  }[];
}

export interface OtlpOptions {
  /** Only attempts of this process, with their parent spans. */
  readonly writer?: string;
  /** The parent span of the run. */
  readonly parent?: TraceParent;
}

/** The trace as one resource with one scope. Steps that never started have no span. */
export function traceAsOtlp(whole: Trace, options: OtlpOptions = {}): OtlpTraces {
  const trace = options.writer === undefined ? whole : partOf(whole, options.writer);
  const [first] = trace.processes;
  const attributes = attributesOf({ "service.name": "wave", "service.version": first?.wave, "host.name": first?.host });
  const scope = { name: "wave", version: first?.wave ?? "" };
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope, spans: spansOf(trace, options.parent) }] }] };
}

/** The steps that the process executed or reused. Other processes send the others. */
function partOf(trace: Trace, writer: string): Trace {
  const steps = trace.steps.map((step) => ({ ...step, attempts: step.attempts.filter((attempt) => attempt.writer === writer) }));
  return { ...trace, steps: steps.filter(({ attempts, reusedFrom }) => attempts.length > 0 || reusedFrom !== undefined) };
}

function spansOf(trace: Trace, parent: TraceParent | undefined): OtlpSpan[] {
  const make = spanMaker(trace, parent);
  const root = spanId(trace.run, "run");
  const run = make({
    spanId: root,
    name: `run ${trace.pipeline}`,
    span: trace,
    status: trace.status,
    ...defined({ parent: parent?.spanId }),
    attributes: { "cicd.pipeline.name": trace.pipeline, "wave.pipeline.version": trace.version, "wave.processes": trace.processes.length },
  });
  return [run, ...trace.steps.flatMap((step) => stepSpans(trace, step, root, make))];
}

function stepSpans(trace: Trace, step: TraceStep, parent: string, make: MakeSpan): OtlpSpan[] {
  const { id, startMs, endMs, reusedFrom } = step;
  if (startMs === undefined || endMs === undefined) return [];
  const own = spanId(trace.run, "step", id);
  const span = make({
    spanId: own,
    parent,
    name: `step ${id}`,
    span: { startMs, endMs },
    status: step.status,
    attributes: {
      "cicd.pipeline.task.name": id,
      "wave.persona": step.persona,
      "wave.critical": step.critical,
      "wave.wait_ms": step.waitMs,
      ...leftAttributes(step),
    },
    ...(reusedFrom === undefined ? {} : { link: { step: id, origin: reusedFrom, kind: "reused" } }),
  });
  const seen = new Map<number, number>();
  const attempts = step.attempts.flatMap((attempt) => {
    const nth = seen.get(attempt.attempt) ?? 0;
    seen.set(attempt.attempt, nth + 1);
    return attemptSpans(trace, step, attempt, { nth, parent: own }, make);
  });
  return [span, ...attempts];
}

function attemptSpans(
  trace: Trace,
  { id }: TraceStep,
  attempt: TraceAttempt,
  { nth, parent }: { readonly nth: number; readonly parent: string },
  make: MakeSpan,
): OtlpSpan[] {
  const own = attemptSpanId(trace.run, id, attempt.attempt, nth);
  const { status, rechecked, failure } = attempt;
  const span = make({
    spanId: own,
    parent,
    name: `attempt ${attempt.attempt} of ${id}`,
    span: attempt,
    status,
    attributes: {
      "cicd.pipeline.task.name": id,
      "wave.attempt": attempt.attempt,
      "wave.adapter": attempt.adapter,
      "gen_ai.request.model": attempt.model,
      "gen_ai.usage.input_tokens": attempt.usage?.inputTokens,
      "gen_ai.usage.output_tokens": attempt.usage?.outputTokens,
      "wave.cost_usd": attempt.usage?.costUsd,
      "wave.writer": attempt.writer,
      "wave.waited_for": attempt.waitedFor,
      "wave.wait_ms": attempt.waitMs,
      "wave.delay_ms": attempt.delayMs,
      "wave.undone": attempt.rolledBack,
      ...leftAttributes(attempt),
    },
    ...defined({ message: failure }),
    ...(rechecked === undefined ? {} : { link: { step: id, origin: rechecked, kind: "rechecked" } }),
  });
  return [span, ...attempt.checks.map((check) => checkSpan(check, own, spanId(trace.run, "check", own, check.name), make))];
}

function checkSpan(check: TraceCheck, parent: string, id: string, make: MakeSpan): OtlpSpan {
  return make({
    spanId: id,
    parent,
    name: `contract ${check.name}`,
    span: check,
    status: check.verdict,
    attributes: { "wave.contract.name": check.name, "wave.contract.type": check.type },
  });
}

interface SpanNames {
  readonly spanId: string;
  readonly parent?: string;
  readonly name: string;
  readonly span: { readonly startMs: number; readonly endMs: number };
  readonly status: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly message?: string;
  readonly link?: { readonly step: string; readonly origin: WorkOrigin; readonly kind: string };
}

type MakeSpan = (words: SpanNames) => OtlpSpan;

function spanMaker(trace: Trace, above: TraceParent | undefined): MakeSpan {
  const traceId = above?.traceId ?? traceIdOf(trace.run);
  const began = BigInt(Date.parse(trace.startedAt)) * 1_000_000n;
  // Whole microseconds: the measurement has no more digits.
  const nanos = (ms: number) => String(began + BigInt(Math.round(ms * 1000)) * 1000n);
  return ({ spanId: own, parent, name, span, status, attributes, message, link }) => ({
    traceId,
    spanId: own,
    ...defined({ parentSpanId: parent }),
    name,
    kind: 1,
    startTimeUnixNano: nanos(span.startMs),
    endTimeUnixNano: nanos(span.endMs),
    attributes: attributesOf({ "cicd.pipeline.run.id": trace.run, "wave.status": status, ...attributes }),
    ...(link === undefined ? {} : { links: [linkOf(link)] }),
    status: { code: codeOf(status), ...defined({ message }) },
  });
}

function linkOf({ step, origin, kind }: NonNullable<SpanNames["link"]>): NonNullable<OtlpSpan["links"]>[number] {
  const attributes = attributesOf({ "wave.link": kind, "cicd.pipeline.run.id": origin.run, "wave.attempt": origin.attempt });
  return { traceId: traceIdOf(origin.run), spanId: attemptSpanId(origin.run, step, origin.attempt, 0), attributes };
}

/** Failures are errors. Skipped and undecided statuses have no code. */
function codeOf(status: string): 0 | 1 | 2 {
  if (status === "passed" || status === "pass") return 1;
  return ["failed", "fail", "error", "interrupted"].includes(status) ? 2 : 0;
}

function leftAttributes({ artifacts, changes }: Pick<TraceStep, "artifacts" | "changes">): Record<string, AttributeValue> {
  if (changes === undefined) return { "wave.artifacts": artifacts };
  const { digest, added, changed, deleted } = changes;
  return { "wave.artifacts": artifacts, "wave.changes.digest": digest, "wave.changes.files": added + changed + deleted };
}

type AttributeValue = string | number | boolean | undefined;

/** Undefined values are omitted. */
function attributesOf(values: Readonly<Record<string, AttributeValue>>): Attribute[] {
  return Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: otlpValue(key, value) }]));
}

/** Durations are doubles even if they are whole, so that each key has one type. */
function otlpValue(key: string, value: string | number | boolean): OtlpValue {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return key.endsWith("_ms") ? { doubleValue: value } : { intValue: String(value) };
}
