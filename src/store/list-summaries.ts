/** Runs in one line each, from the tables. */

import type { BindParams, Database } from "sql.js";
import { defined } from "../core/defined.ts";
import { isRolledBack } from "../core/rolled-back.ts";
import type { StepStatus } from "../core/state.ts";
import { changesOf, loadWriters } from "./read-rows.ts";
import type { RunFold } from "./run-fold.ts";
import { numberOf, optional, type Row, rowsOf, textOf } from "./sql-engine.ts";
import type { StepCount, SummaryFilter, SummaryFold } from "./summary-fold.ts";

/** Newest first. */
export function listSummaries(db: Database, filter: SummaryFilter = {}): readonly SummaryFold[] {
  const params: BindParams = { ":pipeline": filter.pipeline ?? null, ":limit": filter.limit ?? -1 };
  const sql = "SELECT * FROM runs WHERE :pipeline IS NULL OR pipeline = :pipeline ORDER BY started_at DESC, run DESC LIMIT :limit";
  return rowsOf(db, sql, params).map((row) => summaryOfRow(db, row));
}

function summaryOfRow(db: Database, row: Row): SummaryFold {
  const run = textOf(row, "run");
  const outcome = row["outcome"] === null ? undefined : (textOf(row, "outcome") as NonNullable<RunFold["outcome"]>);
  const options = JSON.parse(textOf(row, "options")) as RunFold["options"];
  const inProject = optional("inProject", row["in_project"], (value) => JSON.parse(String(value)) as NonNullable<RunFold["inProject"]>);
  return {
    id: run,
    pipeline: textOf(row, "pipeline"),
    ...optional("version", row["version"], String),
    ...defined({ outcome }),
    startedAt: textOf(row, "started_at"),
    ...optional("finishedAt", row["finished_at"], String),
    rolledBack: outcome !== undefined && isRolledBack({ status: outcome, options, ...changesOf(row), ...inProject }),
    ...(row["open_rollback"] === null ? {} : { openRollback: true as const }),
    archived: row["archived"] !== 0,
    writers: loadWriters(db, run),
    steps: countSteps(db, run),
  };
}

function countSteps(db: Database, run: string): readonly StepCount[] {
  const sql = "SELECT status, writer, count(*) AS number FROM steps WHERE run = ? GROUP BY status, writer";
  return rowsOf(db, sql, [run]).map((row) => ({
    status: textOf(row, "status") as StepStatus,
    ...optional("writer", row["writer"], String),
    count: numberOf(row, "number"),
  }));
}
