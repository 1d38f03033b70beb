/** Observability of a run: what its children are handed, and the trace that is sent when it has ended. Neither can fail it. */
import { defined } from "../core/defined.ts";
import type { RunRecord } from "../core/state.ts";
import { readTraceparent, writeTraceparent } from "../core/traceparent.ts";
import type { RunOutcome } from "../executor/context.ts";
import { systemClock } from "../platform/clock.ts";
import { attemptSpan } from "../telemetry/trace/span-ids.ts";
import type { Environment } from "./open-project.ts";
import type { PlannedRun } from "./plan-run.ts";

/** How long the end of a run may wait for a collector, and that of a cancelled one, in milliseconds. */
const limits = { endMs: 5_000, cancelledMs: 1_000 } as const;

/** Whether traces are sent, by the standard variables. */
function isTraced(env: Environment): boolean {
  const endpoint = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] || env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  return endpoint !== undefined && endpoint !== "" && env["OTEL_SDK_DISABLED"] !== "true" && env["OTEL_TRACES_EXPORTER"] !== "none";
}

/** What an attempt's child is handed so that its own spans stand below the attempt's: nothing where nobody traces. */
export function traceEnvironment(env: Environment, run: string): (step: string, attempt: number) => Readonly<Record<string, string>> {
  const parent = readTraceparent(env["TRACEPARENT"]);
  if (parent === undefined && !isTraced(env)) return () => ({});
  const state = env["TRACESTATE"];
  return (step, attempt) => ({
    TRACEPARENT: writeTraceparent(attemptSpan(run, step, attempt, parent)),
    ...(state === undefined || state === "" ? {} : { TRACESTATE: state }),
  });
}

interface EndedRun {
  readonly planned: PlannedRun;
  readonly run: RunRecord;
  readonly status: RunOutcome["status"];
}

/** Sends what this process did of a run, if traces are sent. `warn` gets one sentence when they could not be. */
export async function exportRun({ planned, run, status }: EndedRun, env: Environment, warn: (text: string) => void): Promise<void> {
  if (!isTraced(env)) return;
  const events = await planned.store.state.readEvents(run.id);
  if (!events.ok) return;
  const { buildTrace } = await import("../telemetry/trace/build-trace.ts");
  const { traceAsOtlp } = await import("../telemetry/trace/trace-as-otlp.ts");
  const { exportTrace } = await import("../telemetry/trace/export-trace.ts");
  const trace = buildTrace({ run, events: events.value, now: systemClock.now() });
  const own = events.value.findLast(({ type }) => type === "run-started" || type === "run-resumed")?.writer;
  const traces = traceAsOtlp(trace, { ...defined({ writer: own }), ...parentOf(env) });
  // A branch or a job may be named by a secret; the rest comes from events, which hold none.
  const attributes = env["OTEL_RESOURCE_ATTRIBUTES"];
  const shown = attributes === undefined ? env : { ...env, OTEL_RESOURCE_ATTRIBUTES: planned.store.redactor.text(attributes) };
  const sent = await exportTrace(traces, shown, status === "cancelled" ? limits.cancelledMs : limits.endMs);
  if (!sent.ok) warn(`the trace was not sent: ${sent.error}`);
}

function parentOf(env: Environment) {
  const parent = readTraceparent(env["TRACEPARENT"]);
  return parent === undefined ? {} : { parent };
}
