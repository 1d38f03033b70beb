/** Metrics in Prometheus' text format, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). Pure. */
import type { HistogramSample, Labels, MetricFamily } from "./metrics.ts";

/** The text. Families without samples have their HELP and TYPE. Ends in a line feed. */
export function metricsAsPrometheus(families: readonly MetricFamily[]): string {
  return families.map((family) => `${familyLines(family).join("\n")}\n`).join("");
}

function familyLines(family: MetricFamily): string[] {
  const { name, help, type } = family;
  const head = [`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`, `# TYPE ${name} ${type}`];
  if (family.type === "histogram") return [...head, ...family.samples.flatMap((sample) => histogramLines(name, sample))];
  return [...head, ...family.samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`)];
}

function histogramLines(name: string, { labels, buckets, sum, count }: HistogramSample): string[] {
  return [
    ...buckets.map((bucket) => `${name}_bucket${labelText({ ...labels, le: String(bucket.le) })} ${bucket.count}`),
    `${name}_bucket${labelText({ ...labels, le: "+Inf" })} ${count}`,
    `${name}_sum${labelText(labels)} ${sum}`,
    `${name}_count${labelText(labels)} ${count}`,
  ];
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
