/** Saves what a database knows of runs when it cannot be trusted as a whole any more. */
import type { Database } from "sql.js";
import { loadFold } from "./read-rows.ts";
import { runTables } from "./schema.ts";
import { rowsOf, textOf } from "./sql-engine.ts";

/**
 * Copies the rows of every run that can be read, but for those named, into a database of the same version. How far journals were
 * read is forgotten, so that the next look folds every run that has journals anew; what stays as it was copied are archived runs.
 */
export function salvageRows(from: Database, into: Database, without: ReadonlySet<string> = new Set()): void {
  for (const run of readable(() => rowsOf(from, "SELECT run FROM runs").map((row) => textOf(row, "run"))) ?? []) {
    if (without.has(run) || readable(() => loadFold(from, run)) === undefined) continue;
    into.run("BEGIN");
    const copied = readable(() => {
      for (const table of runTables) copyRows(from, into, table, run);
      return true;
    });
    if (copied === true) into.run("UPDATE writers SET size = -1, bytes = 0, seq = 0 WHERE run = ?", [run]);
    into.run(copied === true ? "COMMIT" : "ROLLBACK");
  }
}

function copyRows(from: Database, into: Database, table: (typeof runTables)[number], run: string): void {
  const rows = rowsOf(from, `SELECT * FROM ${table} WHERE run = ?`, [run]).map((row) => Object.values(row));
  const [first] = rows;
  if (first === undefined) return;
  const insert = into.prepare(`INSERT INTO ${table} VALUES (${first.map(() => "?").join(", ")})`);
  try {
    for (const values of rows) insert.run(values);
  } finally {
    insert.free();
  }
}

/** What a damaged database gives; nothing where reading it throws, as SQLite does, and as parsing does. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
