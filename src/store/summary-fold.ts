/** The summary of a run, before it is known which of its processes are alive. Pure. */
import { defined } from "../core/defined.ts";
import { isRolledBack } from "../core/rolled-back.ts";
import type { RunSummary, StepStatus } from "../core/state.ts";
import { hasLiveWriter, type Liveness, spentMs, statusOf, stepStatus } from "./project-run.ts";
import type { RunFold, StepFold, WriterFold } from "./run-fold.ts";

/** Steps of one status, with the writer that executes them if there is one. */
export interface StepCount extends Pick<StepFold, "status" | "writer"> {
  readonly count: number;
}

/** The fields that lists of runs need. JSON, as the run index stores it. */
export interface SummaryFold extends Pick<RunFold, "id" | "pipeline" | "version" | "outcome" | "startedAt" | "finishedAt"> {
  readonly rolledBack: boolean;
  /** A rollback started, and no event states that it is complete. */
  readonly openRollback?: true;
  readonly archived: boolean;
  readonly writers: readonly WriterFold[];
  readonly steps: readonly StepCount[];
}

export interface SummaryFilter {
  readonly pipeline?: string;
  readonly limit?: number;
}

/** The summary of a run that has journals. */
export function summaryOf(fold: RunFold): SummaryFold {
  const { id, pipeline, version, outcome, startedAt, finishedAt, writers } = fold;
  const counts = new Map<string, { status: StepStatus; writer?: string; count: number }>();
  for (const { status, writer } of fold.steps) {
    const key = `${status} ${writer ?? ""}`;
    const counted = counts.get(key);
    if (counted === undefined) counts.set(key, { status, ...defined({ writer }), count: 1 });
    else counted.count++;
  }
  return {
    id,
    pipeline,
    startedAt,
    writers,
    archived: false,
    steps: [...counts.values()],
    ...defined({ version, outcome, finishedAt }),
    ...(fold.openRollback === undefined ? {} : { openRollback: true as const }),
    rolledBack: outcome !== undefined && isRolledBack({ ...fold, status: outcome }),
  };
}

/** The current summary. */
export function resolveSummary(summary: SummaryFold, isAlive: Liveness): RunSummary {
  const { id, pipeline, version, outcome, startedAt, finishedAt, writers, steps, archived, rolledBack } = summary;
  const status = statusOf(outcome, writers, isAlive);
  const working = new Set(
    status === "running" ? writers.filter((writer) => hasLiveWriter([writer], isAlive)).map((writer) => writer.writer) : [],
  );
  const counts: Record<StepStatus, number> = { pending: 0, running: 0, passed: 0, failed: 0, skipped: 0, cancelled: 0 };
  for (const step of steps) counts[stepStatus(step, working)] += step.count;
  return {
    id,
    pipeline,
    ...defined({ version }),
    status,
    startedAt,
    ...defined({ finishedAt }),
    ...(status === "running" ? {} : { durationMs: spentMs(writers) }),
    steps: counts,
    archived,
    ...(rolledBack && status === "passed" ? { rolledBack: true as const } : {}),
    ...(summary.openRollback === undefined
      ? {}
      : { rollback: hasLiveWriter(writers, isAlive) ? ("running" as const) : ("interrupted" as const) }),
  };
}

/** Newest first, as the tables list them. */
export function selectSummaries(summaries: readonly SummaryFold[], { pipeline, limit }: SummaryFilter): readonly SummaryFold[] {
  const wanted = summaries.filter((summary) => pipeline === undefined || summary.pipeline === pipeline);
  wanted.sort((a, b) => compare(b.startedAt, a.startedAt) || compare(b.id, a.id));
  return limit === undefined ? wanted : wanted.slice(0, limit);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
