/** Copies the intact runs out of a damaged database. */
import type { Database } from "sql.js";
import { digestOfBytes } from "../core/digest.ts";
import { foldFrom, replaceRun, setArchived, watermarksOf } from "./run-rows.ts";
import { numberOf, rowsOf, textOf } from "./sql-engine.ts";
import type { Watermark } from "./watermark.ts";

/**
 * Copies every run whose record matches its stored digest, except the runs in `without`. The journals' positions are
 * not copied: the next query folds every run that has journals again, so only archived runs keep the copied record.
 */
export function salvageRows(from: Database, into: Database, without: ReadonlySet<string> = new Set()): void {
  const runs = tryRead(() => rowsOf(from, "SELECT run FROM runs").map((row) => textOf(row, "run"))) ?? [];
  const marks = tryRead(() => watermarksOf(from));
  for (const run of runs) {
    if (without.has(run)) continue;
    const row = tryRead(() => rowsOf(from, "SELECT archived, digest, fold FROM runs WHERE run = ?", [run]))?.[0];
    if (row === undefined || textOf(row, "digest") !== digestOfBytes(textOf(row, "fold"))) continue;
    into.run("BEGIN");
    replaceRun(into, run, foldFrom(textOf(row, "fold")), (marks?.get(run) ?? []).map(withoutPosition));
    setArchived(into, run, numberOf(row, "archived"));
    into.run("COMMIT");
  }
}

/** No journal has this size, so it is read again. */
function withoutPosition(mark: Watermark): Watermark {
  return { ...mark, size: -1, bytes: 0, seq: 0 };
}

/** The result of `read`; undefined if SQLite throws because of the damage. */
function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
