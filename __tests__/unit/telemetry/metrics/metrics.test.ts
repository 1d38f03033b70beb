/** Metrics, and their text read back by a parser that takes nothing but the format's grammar. */
import { describe, expect, it } from "vitest";
import { projectRun } from "../../../../src/store/project-run.ts";
import { measureRuns } from "../../../../src/telemetry/metrics/measure-runs.ts";
import { histogram, type MetricFamily } from "../../../../src/telemetry/metrics/metrics.ts";
import { metricsAsPrometheus } from "../../../../src/telemetry/metrics/metrics-as-prometheus.ts";
import { buildTrace } from "../../../../src/telemetry/trace/build-trace.ts";
import { attemptRecord, attemptStarted, begin, result, runRecord, started, stepRecord } from "../../../rig/run-events.ts";
import { closed, failed, finished, journals } from "../../../rig/run-histories.ts";

interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface ParsedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: ParsedSample[];
}

/** Prometheus' text format 0.0.4, strictly: HELP, TYPE, then the samples of that family alone, none twice. */
function parse(text: string): ParsedFamily[] {
  if (!text.endsWith("\n")) throw new Error("the last line has no line feed");
  const families: ParsedFamily[] = [];
  const seen = new Set<string>();
  let help: { name: string; text: string } | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    const [, kind, name = "", rest = ""] = comment ?? [];
    if (kind === "HELP") {
      if (families.some((family) => family.name === name)) throw new Error(`${name} is there twice`);
      help = { name, text: rest };
    } else if (kind === "TYPE") {
      if (help?.name !== name || !["counter", "gauge", "histogram"].includes(rest)) throw new Error(`not a type: ${line}`);
      families.push({ name, help: help.text, type: rest, samples: [] });
    } else addSample(families.at(-1), line, seen);
  }
  return families;
}

function addSample(family: ParsedFamily | undefined, line: string, seen: Set<string>): void {
  const found = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.e+-]+|\+Inf|NaN)$/.exec(line);
  if (family === undefined || found === null) throw new Error(`not a sample: ${line}`);
  const [, name = "", inner = "", value = ""] = found;
  const suffixes = family.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (!suffixes.some((suffix) => name === family.name + suffix)) throw new Error(`${name} is not of ${family.name}`);
  const labels: Record<string, string> = {};
  const pair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/y;
  while (pair.lastIndex < inner.length) {
    const [, key = "", escaped = ""] = pair.exec(inner) ?? [];
    if (key === "" || key in labels) throw new Error(`not labels: ${line}`);
    labels[key] = escaped.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
  }
  const id = JSON.stringify([name, Object.entries(labels).sort()]);
  if (seen.has(id)) throw new Error(`there twice: ${line}`);
  seen.add(id);
  family.samples.push({ name, labels, value: Number(value) });
}

/** Buckets ascend and are cumulative, and the unbounded one is the count. */
function checkHistogram({ name, samples }: ParsedFamily): void {
  const groups = new Map<string, ParsedSample[]>();
  for (const sample of samples) {
    const { le: _le, ...labels } = sample.labels;
    const key = JSON.stringify(Object.entries(labels).sort());
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => (labels["le"] === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels["le"])));
    const counts = buckets.map(({ value }) => value);
    expect(bounds).toEqual([...new Set(bounds)].sort((a, b) => a - b));
    expect(bounds.at(-1)).toBe(Number.POSITIVE_INFINITY);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(group.filter((sample) => sample.name === `${name}_count`).map(({ value }) => value)).toEqual([counts.at(-1)]);
    expect(group.filter((sample) => sample.name === `${name}_sum`)).toHaveLength(1);
  }
}

const odd = 'a "b" \\ c\nd';
const contracts = [result("x"), result("y", { type: "test_suite", verdict: "error" })];
const failure = { reason: "empty-output", detail: "" } as const;
const runs = [
  runRecord({ pipeline: odd, steps: [stepRecord("s", { attempts: [attemptRecord({ contracts }), attemptRecord({ attempt: 2 })] })] }),
  runRecord({
    ...{ id: "b", pipeline: "p", status: "failed", durationMs: 100 },
    steps: [stepRecord("s", { status: "failed", attempts: [attemptRecord({ status: "failed", failure, durationMs: 100 })] })],
  }),
  runRecord({
    ...{ id: "c", pipeline: "p", status: "running" },
    steps: [
      stepRecord("s", { status: "running", attempts: [attemptRecord({ status: "running" }), attemptRecord({ status: "interrupted" })] }),
    ],
  }),
  runRecord({ id: "d", pipeline: "p", steps: [stepRecord("s", { reusedFrom: { run: "b", attempt: 1 }, attempts: [] })] }),
];

const samplesOf = (families: readonly MetricFamily[], name: string) => families.find((family) => family.name === name)?.samples;

describe("measureRuns", () => {
  const families = measureRuns(runs);

  it("counts runs, attempts that ended, failures, verdicts and reused steps", () => {
    expect(samplesOf(families, "wave_runs")).toEqual([
      { labels: { pipeline: odd, status: "passed" }, value: 1 },
      { labels: { pipeline: "p", status: "failed" }, value: 1 },
      { labels: { pipeline: "p", status: "passed" }, value: 1 },
      { labels: { pipeline: "p", status: "running" }, value: 1 },
    ]);
    expect(samplesOf(families, "wave_attempts_total")).toEqual([
      { labels: { pipeline: odd, step: "s", outcome: "passed" }, value: 2 },
      { labels: { pipeline: "p", step: "s", outcome: "failed" }, value: 1 },
      { labels: { pipeline: "p", step: "s", outcome: "interrupted" }, value: 1 },
    ]);
    expect(samplesOf(families, "wave_attempt_failures_total")).toEqual([
      { labels: { pipeline: "p", step: "s", reason: "empty-output" }, value: 1 },
    ]);
    expect(samplesOf(families, "wave_steps_reused_total")).toEqual([{ labels: { pipeline: "p", step: "s" }, value: 1 }]);
    expect(samplesOf(families, "wave_contract_verdicts_total")).toEqual([
      { labels: { pipeline: odd, type: "json_schema", verdict: "pass" }, value: 1 },
      { labels: { pipeline: odd, type: "test_suite", verdict: "error" }, value: 1 },
    ]);
    expect(samplesOf(families, "wave_queue_wait_seconds")).toEqual([]);
  });

  it("a bucket holds its bound", () => {
    const meter = histogram([1, 2]);
    for (const value of [1, 1.5, 2, 3]) meter.observe({}, value);
    expect(meter.samples()).toEqual([
      {
        ...{ labels: {}, sum: 7.5, count: 4 },
        buckets: [
          { le: 1, count: 1 },
          { le: 2, count: 3 },
        ],
      },
    ]);
  });

  it("measures waits, without the delays of retries", () => {
    const again = { ...failed("a", 1, 2), retry: { attempt: 2, delayMs: 400 } } as ReturnType<typeof failed>;
    const events = journals([started({ a: [] }), attemptStarted("a"), again, attemptStarted("a", 2), finished("failed"), closed]);
    const record = projectRun(events, () => false);
    if (record === undefined) throw new Error("no record");
    const traced = buildTrace({ run: record, events, now: begin }).steps.flatMap(({ attempts }) => attempts);
    expect(traced.map(({ waitMs, delayMs = 0 }) => waitMs - delayMs)).toEqual(record.steps[0]?.attempts.map(({ waitMs }) => waitMs));
    const [waits] = samplesOf(measureRuns([record]), "wave_queue_wait_seconds") ?? [];
    expect(waits).toMatchObject({ count: 2, sum: 1.6 });
  });
});

describe("the text", () => {
  it("is what the grammar allows, and says the same", () => {
    const families = measureRuns(runs);
    const parsed = parse(metricsAsPrometheus(families));
    expect(parsed.map(({ name, type }) => [name, type])).toEqual(families.map(({ name, type }) => [name, type]));
    for (const family of parsed) {
      expect(family.help).not.toBe("");
      if (family.type === "histogram") checkHistogram(family);
      else expect(family.samples.map(({ labels, value }) => ({ labels, value }))).toEqual(samplesOf(families, family.name));
    }
  });

  it("of a state without runs has every metric, without samples", () => {
    const parsed = parse(metricsAsPrometheus(measureRuns([])));
    expect(parsed).toHaveLength(10);
    expect(parsed.flatMap(({ samples }) => samples)).toEqual([]);
  });
});
