/** `wave metrics`: what state remembers, counted and measured. */
import { type Command, fail, flag, type Invocation, jsonOption, manifestOptions, printJson, textOption } from "./define-command.ts";
import { openProjectPast } from "./open-store.ts";

export const metricsCommand: Command = {
  name: "metrics",
  summary: "Print metrics of all runs in state, for Prometheus or as JSON",
  details:
    "Runs by status, attempts by outcome, failures by reason, contract verdicts, and histograms of durations and queue waits. Removed runs (`wave cleanup`) still count.",
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
  const opened = await openProjectPast(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const runs = await opened.value.store.state.allRuns();
  if (!runs.ok) return fail(io, runs.error, { json });
  const { measureRuns } = await import("../telemetry/metrics/measure-runs.ts");
  const families = measureRuns(runs.value);
  if (json) printJson(io, { ok: true, metrics: families });
  else io.stdout.writeData((await import("../telemetry/metrics/metrics-as-prometheus.ts")).metricsAsPrometheus(families));
  return 0;
}
