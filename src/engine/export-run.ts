/** Traces of a run: the variables that its children get, and the export when it has ended. Neither can fail the run. */
import { defined } from "../core/defined.ts";
import type { RunRecord } from "../core/state.ts";
import { readTraceparent, writeTraceparent } from "../core/traceparent.ts";
import type { RunOutcome } from "../executor/context.ts";
import { systemClock } from "../platform/clock.ts";
import { attemptSpan } from "../telemetry/trace/span-ids.ts";
import type { Environment } from "./open-project.ts";
import type { PlannedRun } from "./plan-run.ts";

/** How long the end of a run, or of a cancelled run, waits for a collector, in milliseconds. */
const limits = { endMs: 5_000, cancelledMs: 1_000 } as const;

/** Whether the standard variables enable traces. */
function isTraced(env: Environment): boolean {
  const endpoint = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] || env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  return endpoint !== undefined && endpoint !== "" && env["OTEL_SDK_DISABLED"] !== "true" && env["OTEL_TRACES_EXPORTER"] !== "none";
}

/** Trace variables for an attempt's child, so that its spans descend from the attempt's span. Empty if traces are off. */
export function traceEnvironment(env: Environment, runId: string): (step: string, attempt: number) => Readonly<Record<string, string>> {
  const parent = readTraceparent(env["TRACEPARENT"]);
  if (parent === undefined && !isTraced(env)) return () => ({});
  const state = env["TRACESTATE"];
  return (step, attempt) => ({
    TRACEPARENT: writeTraceparent(attemptSpan(runId, step, attempt, parent)),
    ...(state === undefined || state === "" ? {} : { TRACESTATE: state }),
  });
}

interface EndedRun {
  readonly planned: PlannedRun;
  readonly run: RunRecord;
  readonly status: RunOutcome["status"];
}

/** Exports the part of a run that this process executed, if traces are enabled. `warn` gets one sentence on failure. */
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
  // The name of a branch or a job may contain a secret; events contain none.
  const attributes = env["OTEL_RESOURCE_ATTRIBUTES"];
  const shown = attributes === undefined ? env : { ...env, OTEL_RESOURCE_ATTRIBUTES: planned.store.redactor.text(attributes) };
  const sent = await exportTrace(traces, shown, status === "cancelled" ? limits.cancelledMs : limits.endMs);
  if (!sent.ok) warn(`the trace was not sent: ${sent.error}`);
}

function parentOf(env: Environment) {
  const parent = readTraceparent(env["TRACEPARENT"]);
  return parent === undefined ? {} : { parent };
}
