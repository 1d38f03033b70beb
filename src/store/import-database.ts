/**
 * Imports the database of another job whose carrier the caller trusts. Accepts its records of runs if they have the
 * shape that Wave writes; derives all other rows from them.
 */
import { lstat } from "node:fs/promises";
import type { Database } from "sql.js";
import { describeFailure } from "../core/failures.ts";
import { err, ok, type Result } from "../core/result.ts";
import { createStateDirectory, stateUnwritable, tryIo } from "../platform/files.ts";
import { emptyDatabase, openDatabase, saveDatabase } from "./database-file.ts";
import { databaseFile } from "./database-place.ts";
import type { RunFold } from "./run-fold.ts";
import { foldFrom, replaceRun, setArchived, watermarksOf } from "./run-rows.ts";
import { cleanedAway } from "./schema.ts";
import { loadSql, numberOf, rowsOf } from "./sql-engine.ts";
import type { Watermark } from "./watermark.ts";

/** Returns the first problem of a value that should be a run's fold, as a clause. Undefined if there is none. */
export type FoldCheck = (value: unknown) => string | undefined;

/** In bytes. A database is loaded as a whole. */
const limit = 512e6;

/**
 * Imports the database, which has the runs whose journals are gone, if there is none here. Returns why it was refused.
 * Returns undefined if it was imported, if one exists here, or if `from` has none. Fails with `state-unwritable`.
 */
export async function importDatabase(from: string, stateDir: string, check: FoldCheck): Promise<Result<string | undefined>> {
  const source = databaseFile(from);
  const target = databaseFile(stateDir);
  const found = await tryIo(() => lstat(source));
  if (!found.ok || (await tryIo(() => lstat(target))).ok) return ok(undefined);
  const copied = await copyOf(source, found.value, check);
  if (!copied.ok) return ok(`the database was refused: ${copied.error}`);
  try {
    const directory = await tryIo(() => createStateDirectory(stateDir));
    if (!directory.ok) return err(stateUnwritable(stateDir, directory.error));
    const written = await saveDatabase(target, { db: copied.value });
    return written.ok ? ok(undefined) : err(stateUnwritable(target, written.error));
  } finally {
    copied.value.close();
  }
}

/** A new database with the runs of a database file. Fails with the reason to refuse the file, as a clause. */
async function copyOf(
  file: string,
  found: { readonly size: number; isFile(): boolean },
  check: FoldCheck,
): Promise<Result<Database, string>> {
  if (!found.isFile()) return err("it is not a regular file");
  if (found.size > limit) return err(`it has ${found.size} bytes, and at most ${limit} are read`);
  const opened = await openDatabase(file);
  if (!opened.ok) return err("detail" in opened.error ? opened.error.detail : describeFailure(opened.error).title);
  const { db, aside } = opened.value;
  const copy = emptyDatabase(await loadSql());
  try {
    // A view or a trigger would run SQL that Wave did not write.
    const problem =
      aside === "damaged"
        ? "its bytes do not match its seal"
        : aside !== undefined
          ? "its tables have an earlier version"
          : structureOf(db) !== structureOf(copy)
            ? "its tables differ from those of this version"
            : copyRuns(db, copy, check);
    if (problem === undefined) return ok(copy);
    copy.close();
    return err(problem);
  } finally {
    db.close();
  }
}

/**
 * Copies all runs. Returns the first column with a value that Wave does not write, as a clause. Undefined if there is
 * none.
 */
function copyRuns(db: Database, copy: Database, check: FoldCheck): string | undefined {
  const marks = watermarksOf(db);
  if (![...marks].every(([run, own]) => isRunName(run) && own.every(isWatermark))) return unexpectedValue("table journals");
  const remaining = new Map(marks);
  copy.run("BEGIN");
  for (const { run } of rowsOf(db, "SELECT run FROM runs")) {
    const [row = {}] = rowsOf(db, "SELECT archived, fold FROM runs WHERE run = ?", [run ?? null]);
    const fold = checkedFold(row["fold"], check);
    if (fold === undefined || fold.id !== run) return unexpectedValue("column runs.fold");
    const archived = numberOf(row, "archived");
    if (![0, 1, cleanedAway].includes(archived)) return unexpectedValue("column runs.archived");
    replaceRun(copy, fold.id, fold, marks.get(fold.id) ?? []);
    setArchived(copy, fold.id, archived);
    remaining.delete(fold.id);
  }
  for (const [run, own] of remaining) replaceRun(copy, run, undefined, own);
  copy.run("COMMIT");
  return undefined;
}

function checkedFold(json: unknown, check: FoldCheck): RunFold | undefined {
  if (typeof json !== "string") return undefined;
  try {
    const fold = foldFrom(json);
    return check(fold) === undefined ? fold : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A run that never started has journal positions but no fold. */
function isRunName(run: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(run);
}

function isWatermark({ writer, size, bytes, seq, head }: Watermark): boolean {
  return isRunName(writer) && [size, bytes, seq].every(Number.isSafeInteger) && /^[0-9a-f]{64}$/.test(head);
}

function unexpectedValue(place: string): string {
  return `its ${place} contains a value that Wave does not write`;
}

function structureOf(db: Database): string {
  return JSON.stringify(rowsOf(db, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"));
}
