/** Lists the summaries of runs from the database. */
import type { BindParams, Database } from "sql.js";
import { mapRows, textOf } from "./sql-engine.ts";
import type { SummaryFilter, SummaryFold } from "./summary-fold.ts";

/** Newest first. */
export function listSummaries(db: Database, filter: SummaryFilter = {}): readonly SummaryFold[] {
  const params: BindParams = { ":pipeline": filter.pipeline ?? null, ":limit": filter.limit ?? -1 };
  const sql =
    "SELECT archived, summary FROM runs WHERE :pipeline IS NULL OR pipeline = :pipeline ORDER BY started_at DESC, run DESC LIMIT :limit";
  return mapRows(db, sql, params, (row) => ({
    ...(JSON.parse(textOf(row, "summary")) as Omit<SummaryFold, "archived">),
    archived: row["archived"] !== 0,
  }));
}
