/** Writes and reads the rows of a run. All rows except those of `journals` are derived from the run's fold. */
import type { BindParams, Database } from "sql.js";
import { digestOfBytes } from "../core/digest.ts";
import type { RunFold } from "./run-fold.ts";
import { runTables } from "./schema.ts";
import { mapRows, numberOf, type Row, rowsOf, textOf } from "./sql-engine.ts";
import { summaryOf } from "./summary-fold.ts";
import type { Watermark } from "./watermark.ts";

type DerivedTable = Exclude<(typeof runTables)[number], "journals">;

/** The rows of a fold, per table, with columns in the order of the schema. */
export function rowsOfFold(fold: RunFold): Readonly<Record<DerivedTable, readonly Row[]>> {
  const { id: run, pipeline, startedAt, finishedAt, treeAfter } = fold;
  const json = JSON.stringify(fold);
  const { archived: _archived, ...summary } = summaryOf(fold);
  return {
    runs: [
      {
        run,
        pipeline,
        started_at: startedAt,
        finished_at: finishedAt ?? null,
        tree_after: treeAfter ?? null,
        archived: 0,
        digest: digestOfBytes(json),
        summary: JSON.stringify(summary),
        fold: json,
      },
    ],
    breaker_samples: [...fold.samples, ...fold.resets.map((reset) => ({ ...reset, failed: null }))].map((point, position) => {
      const { breaker, at, clock, failed } = point;
      return { breaker, at, run, clock, position, failed: failed === null ? null : Number(failed) };
    }),
    revoked_work: fold.revoked.map(({ step, run: source, attempt }, position) => ({ run, position, step, of_run: source, attempt })),
  };
}

/** The stored rows of a run, in the shape of `rowsOfFold`. `archived` is 0, because it depends on the disk. */
export function derivedRows(db: Database, run: string): ReturnType<typeof rowsOfFold> {
  return {
    runs: rowsOf(db, "SELECT * FROM runs WHERE run = ?", [run]).map((row) => ({ ...row, archived: 0 })),
    breaker_samples: rowsOf(db, "SELECT * FROM breaker_samples WHERE run = ? ORDER BY position", [run]),
    revoked_work: rowsOf(db, "SELECT * FROM revoked_work WHERE run = ? ORDER BY position", [run]),
  };
}

/**
 * Replaces the rows of a run, within the caller's transaction. Without a fold, the run never started: only its
 * journals' positions are stored.
 */
export function replaceRun(db: Database, run: string, fold: RunFold | undefined, marks: readonly Watermark[]): void {
  for (const table of runTables) db.run(`DELETE FROM ${table} WHERE run = ?`, [run]);
  insertAll(
    db,
    "journals",
    marks.map(({ writer, size, bytes, seq, head, closed }) => ({ run, writer, size, bytes, seq, head, closed: Number(closed) })),
  );
  if (fold === undefined) return;
  const { runs, breaker_samples, revoked_work } = rowsOfFold(fold);
  insertAll(db, "runs", runs);
  insertAll(db, "breaker_samples", breaker_samples);
  insertAll(db, "revoked_work", revoked_work);
}

function insertAll(db: Database, table: (typeof runTables)[number], rows: readonly Row[]): void {
  const [first] = rows;
  if (first === undefined) return;
  const columns = Object.keys(first);
  const statement = db.prepare(`INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => "?").join()})`);
  try {
    for (const row of rows) statement.run(Object.values(row));
  } finally {
    statement.free();
  }
}

/** A fold, with the value of `runs.archived`. */
export interface StoredFold {
  readonly fold: RunFold;
  readonly archived: number;
}

/** The folds of the runs that `where` selects; `where` may end with an order and a limit. */
export function loadFolds(db: Database, where: string, params: BindParams = []): readonly StoredFold[] {
  return mapRows(db, `SELECT archived, fold FROM runs WHERE ${where}`, params, (row) => ({
    fold: foldFrom(textOf(row, "fold")),
    archived: numberOf(row, "archived"),
  }));
}

/** The stored fold of a run; undefined if the run is not stored. */
export function loadFold(db: Database, run: string): RunFold | undefined {
  return loadFolds(db, "run = ?", [run])[0]?.fold;
}

/** Parses a value of `runs.fold`. Throws `SyntaxError` if it is not JSON. */
export function foldFrom(json: string): RunFold {
  return JSON.parse(json) as RunFold;
}

/** How far each run's journals were read, by run. */
export function watermarksOf(db: Database): ReadonlyMap<string, readonly Watermark[]> {
  const marks = new Map<string, Watermark[]>();
  for (const row of rowsOf(db, "SELECT * FROM journals")) {
    const run = textOf(row, "run");
    const own = marks.get(run);
    if (own === undefined) marks.set(run, [watermarkIn(row)]);
    else own.push(watermarkIn(row));
  }
  return marks;
}

function watermarkIn(row: Row): Watermark {
  return {
    writer: textOf(row, "writer"),
    size: numberOf(row, "size"),
    bytes: numberOf(row, "bytes"),
    seq: numberOf(row, "seq"),
    head: textOf(row, "head"),
    closed: row["closed"] === 1,
  };
}

/** Every stored run → whether its journals are gone. */
export function archivedRuns(db: Database): ReadonlyMap<string, boolean> {
  return new Map(rowsOf(db, "SELECT run, archived FROM runs").map((row) => [textOf(row, "run"), row["archived"] !== 0]));
}

export function setArchived(db: Database, run: string, archived: number): void {
  db.run("UPDATE runs SET archived = ? WHERE run = ?", [archived, run]);
}
