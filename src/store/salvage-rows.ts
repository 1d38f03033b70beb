/** Copies runs out of a database that cannot be trusted as a whole. */
import type { Database } from "sql.js";
import { digestOfBytes } from "../core/digest.ts";
import { foldFrom, replaceRun, setArchived, watermarksOf } from "./run-rows.ts";
import { numberOf, rowsOf, textOf } from "./sql-engine.ts";
import type { Watermark } from "./watermark.ts";

/**
 * Copies every run whose record has the digest that was stored with it, except the runs in `without`. How far journals were read is not copied: the next
 * query folds every run that has journals again, so that only archived runs keep the copied record.
 */
export function salvageRows(from: Database, into: Database, without: ReadonlySet<string> = new Set()): void {
  const runs = readable(() => rowsOf(from, "SELECT run FROM runs").map((row) => textOf(row, "run"))) ?? [];
  const marks = readable(() => watermarksOf(from));
  for (const run of runs) {
    if (without.has(run)) continue;
    const row = readable(() => rowsOf(from, "SELECT archived, digest, fold FROM runs WHERE run = ?", [run]))?.[0];
    if (row === undefined || textOf(row, "digest") !== digestOfBytes(textOf(row, "fold"))) continue;
    into.run("BEGIN");
    replaceRun(into, run, foldFrom(textOf(row, "fold")), (marks?.get(run) ?? []).map(unread));
    setArchived(into, run, numberOf(row, "archived"));
    into.run("COMMIT");
  }
}

/** No journal has this size, so the journal is read again. */
function unread(mark: Watermark): Watermark {
  return { ...mark, size: -1, bytes: 0, seq: 0 };
}

/** What `read` returns; undefined where SQLite throws because of the damage. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
