/** `wave metrics`: what state remembers, counted and measured. */
import type { StateStore } from "../model/ports.ts";
import { ok, type Result } from "../model/result.ts";
import type { RunSummary } from "../model/state.ts";
import { systemClock } from "../platform/clock.ts";
import { isAlive } from "../platform/process-identity.ts";
import type { MeasuredRun } from "../report/metrics/measure-runs.ts";
import { projectRun } from "../state/project-run.ts";
import { type Command, fail, flag, type Invocation, jsonOption, manifestOptions, textOption } from "./command.ts";
import { openProjectMemory } from "./open-memory.ts";

export const metricsCommand: Command = {
  name: "metrics",
  summary: "Print metrics of all runs in state, for Prometheus or as JSON",
  details:
    "Runs by status, attempts by outcome, failures by reason, contract verdicts, and histograms of durations and queue waits. Removed runs (`wave cleanup`) still count, but for their waits.",
  arguments: [],
  options: [
    ...manifestOptions,
    { flags: "--format <format>", description: "how to print them", choices: ["prometheus", "json"], default: "prometheus" },
    jsonOption,
  ],
  examples: ["wave metrics", "wave metrics > /var/lib/node_exporter/wave.prom", "wave metrics --format json"],
  run: metrics,
};

async function metrics(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json") || textOption(invocation, "format") === "json";
  const opened = await openProjectMemory(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const measured = await measuredRuns(opened.value.memory.state);
  if (!measured.ok) return fail(io, measured.error, { json });
  const { measureRuns } = await import("../report/metrics/measure-runs.ts");
  const families = measureRuns(measured.value);
  if (json) io.stdout.write(`${JSON.stringify({ ok: true, metrics: families })}\n`);
  else io.stdout.write((await import("../report/metrics/metrics-as-prometheus.ts")).metricsAsPrometheus(families));
  return 0;
}

async function measuredRuns(state: StateStore): Promise<Result<readonly MeasuredRun[]>> {
  const listed = await state.listRuns();
  if (!listed.ok) return listed;
  const runs: MeasuredRun[] = [];
  for (const summary of listed.value) {
    const run = await measuredRun(state, summary);
    if (!run.ok) return run;
    if (run.value !== undefined) runs.push(run.value);
  }
  return ok(runs);
}

/** From the journals where they are, else from the tables; nothing where neither has it any more. */
async function measuredRun(state: StateStore, { id, archived }: RunSummary): Promise<Result<MeasuredRun | undefined>> {
  const { buildTrace } = await import("../report/trace/build-trace.ts");
  const events = archived ? undefined : await state.readEvents(id);
  if (events?.ok === false && events.error.reason !== "run-not-found") return events;
  const record = events?.ok === true ? projectRun(events.value, isAlive) : undefined;
  if (events?.ok === true && record !== undefined)
    return ok({ record, trace: buildTrace({ run: record, events: events.value, now: systemClock.now() }) });
  const found = await state.findRun(id);
  if (!found.ok) return found.error.reason === "run-not-found" ? ok(undefined) : found;
  return ok(found.value.id === id ? { record: found.value } : undefined);
}
