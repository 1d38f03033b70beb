/** `wave metrics`: prints counts and durations of all recorded runs. */
import { ok } from "../core/result.ts";
import { openPastRuns } from "../engine/open-run.ts";
import { defineCommand } from "./define-command.ts";

export const metricsCommand = defineCommand({
  name: "metrics",
  summary: "Print metrics of all recorded runs, for Prometheus or as JSON",
  details:
    "Counts runs by status, attempts by outcome, failures by reason and contract verdicts, with histograms of durations and queue waits. Runs removed by `wave cleanup` still count.",
  options: [{ flags: "--format <format>", description: "output format", choices: ["prometheus", "json"], default: "prometheus" }],
  examples: ["wave metrics", "wave metrics > /var/lib/node_exporter/wave.prom", "wave metrics --format json"],
  run: async ({ request }) => {
    const opened = await openPastRuns(request);
    if (!opened.ok) return opened;
    const runs = await opened.value.state.allRuns();
    if (!runs.ok) return runs;
    const { measureRuns } = await import("../telemetry/metrics/measure-runs.ts");
    const { metricsAsPrometheus } = await import("../telemetry/metrics/metrics-as-prometheus.ts");
    const metrics = measureRuns(runs.value);
    return ok({ json: { ok: true, metrics }, data: metricsAsPrometheus(metrics) });
  },
});
