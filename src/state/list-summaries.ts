/** Runs in one line each, from the tables. */
import type { BindParams, Database } from "sql.js";
import type { RunSummary, StepStatus } from "../model/state.ts";
import { hasLiveWriter, type Liveness, spentMs, statusOf, stepStatus } from "./project-run.ts";
import { loadWriters } from "./read-rows.ts";
import type { RunFold } from "./run-fold.ts";
import { numberOf, optional, type Row, rowsOf, textOf } from "./sql-engine.ts";

/** Newest first. */
export function listSummaries(
  db: Database,
  filter: { readonly pipeline?: string; readonly limit?: number },
  isAlive: Liveness,
): readonly RunSummary[] {
  const params: BindParams = { ":pipeline": filter.pipeline ?? null, ":limit": filter.limit ?? -1 };
  const sql = "SELECT * FROM runs WHERE :pipeline IS NULL OR pipeline = :pipeline ORDER BY started_at DESC, run DESC LIMIT :limit";
  return rowsOf(db, sql, params).map((row) => summaryOfRow(db, row, isAlive));
}

function summaryOfRow(db: Database, row: Row, isAlive: Liveness): RunSummary {
  const run = textOf(row, "run");
  const writers = loadWriters(db, run);
  const outcome = row["outcome"] === null ? undefined : (textOf(row, "outcome") as NonNullable<RunFold["outcome"]>);
  const status = statusOf(outcome, writers, isAlive);
  const working = new Set(
    status === "running" ? writers.filter((writer) => hasLiveWriter([writer], isAlive)).map((writer) => writer.writer) : [],
  );
  return {
    id: run,
    pipeline: textOf(row, "pipeline"),
    ...optional("version", row["version"], String),
    status,
    startedAt: textOf(row, "started_at"),
    ...optional("finishedAt", row["finished_at"], String),
    ...(status === "running" ? {} : { durationMs: spentMs(writers) }),
    steps: countSteps(db, run, working),
    archived: row["archived"] !== 0,
  };
}

function countSteps(db: Database, run: string, working: ReadonlySet<string>): Readonly<Record<StepStatus, number>> {
  const counts: Record<StepStatus, number> = { pending: 0, running: 0, passed: 0, failed: 0, skipped: 0, cancelled: 0 };
  for (const row of rowsOf(db, "SELECT status, writer, count(*) AS number FROM steps WHERE run = ? GROUP BY status, writer", [run])) {
    const status = textOf(row, "status") as StepStatus;
    counts[stepStatus({ status, ...optional("writer", row["writer"], String) }, working)] += numberOf(row, "number");
  }
  return counts;
}
