/** Computes metrics from the records of runs. Pure. */
import type { RunRecord } from "../../core/state.ts";
import type { Usage } from "../../core/usage.ts";
import { type Counter, counter, type Histogram, histogram, type MetricFamily } from "./metrics.ts";

interface Meters {
  readonly runs: Counter;
  readonly runSeconds: Histogram;
  readonly attempts: Counter;
  readonly failures: Counter;
  readonly reused: Counter;
  readonly stepSeconds: Histogram;
  readonly verdicts: Counter;
  readonly waits: Histogram;
  readonly tokens: Counter;
  readonly cost: Counter;
}

/** All metrics, including those without samples. Running attempts are not counted. */
export function measureRuns(runs: readonly RunRecord[]): readonly MetricFamily[] {
  const meters: Meters = {
    runs: counter(),
    attempts: counter(),
    failures: counter(),
    reused: counter(),
    verdicts: counter(),
    tokens: counter(),
    cost: counter(),
    runSeconds: histogram(),
    stepSeconds: histogram(),
    waits: histogram(),
  };
  for (const run of runs) measureRun(meters, run);
  return families(meters);
}

function measureRun(meters: Meters, { pipeline, status, durationMs, steps }: RunRecord): void {
  meters.runs.add({ pipeline, status });
  if (status !== "running" && durationMs !== undefined) meters.runSeconds.observe({ pipeline, status }, durationMs / 1000);
  for (const { id: step, attempts, reusedFrom } of steps) {
    if (reusedFrom !== undefined) meters.reused.add({ pipeline, step });
    for (const attempt of attempts) {
      if (attempt.waitMs !== undefined) meters.waits.observe({ pipeline }, attempt.waitMs / 1000);
      if (attempt.status === "running") continue;
      meters.attempts.add({ pipeline, step, outcome: attempt.status });
      if (attempt.usage !== undefined) measureUsage(meters, { pipeline, step }, attempt.usage);
      if (attempt.failure !== undefined) meters.failures.add({ pipeline, step, reason: attempt.failure.reason });
      if (attempt.durationMs !== undefined)
        meters.stepSeconds.observe({ pipeline, step, outcome: attempt.status }, attempt.durationMs / 1000);
      for (const { type, verdict } of attempt.contracts) meters.verdicts.add({ pipeline, type, verdict });
    }
  }
}

function measureUsage({ tokens, cost }: Meters, labels: { pipeline: string; step: string }, usage: Usage): void {
  tokens.add({ ...labels, kind: "input" }, usage.inputTokens);
  tokens.add({ ...labels, kind: "output" }, usage.outputTokens);
  tokens.add({ ...labels, kind: "cache read" }, usage.cacheReadTokens);
  tokens.add({ ...labels, kind: "cache write" }, usage.cacheWriteTokens);
  if (usage.costUsd !== undefined) cost.add(labels, usage.costUsd);
}

function families(meters: Meters): readonly MetricFamily[] {
  const { runs, runSeconds, attempts, failures, reused, stepSeconds, verdicts, waits, tokens, cost } = meters;
  return [
    { name: "wave_runs", type: "gauge", help: "Runs in state, by pipeline and status.", samples: runs.samples() },
    {
      name: "wave_run_duration_seconds",
      type: "histogram",
      samples: runSeconds.samples(),
      help: "Time that processes spent on runs that have ended, including all resumes of a run.",
    },
    {
      name: "wave_attempts_total",
      type: "counter",
      samples: attempts.samples(),
      help: "Attempts that ended, by step and outcome.",
    },
    {
      name: "wave_attempt_failures_total",
      type: "counter",
      samples: failures.samples(),
      help: "Failed attempts, by step and reason.",
    },
    {
      name: "wave_steps_reused_total",
      type: "counter",
      samples: reused.samples(),
      help: "Steps that reused a cached result.",
    },
    {
      name: "wave_step_duration_seconds",
      type: "histogram",
      samples: stepSeconds.samples(),
      help: "How long attempts at a step took, by step and outcome.",
    },
    {
      name: "wave_contract_verdicts_total",
      type: "counter",
      samples: verdicts.samples(),
      help: "Verdicts of contracts, by contract type and verdict.",
    },
    {
      name: "wave_queue_wait_seconds",
      type: "histogram",
      samples: waits.samples(),
      help: "How long attempts could have run before they began, without the delays of retries.",
    },
    {
      name: "wave_tokens_total",
      type: "counter",
      samples: tokens.samples(),
      help: "Tokens that attempts used, by step and kind, as their agents count them.",
    },
    {
      name: "wave_cost_usd_total",
      type: "counter",
      samples: cost.samples(),
      help: "US dollars that attempts cost, by step, as their agents count them.",
    },
  ];
}
