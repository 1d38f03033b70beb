/** Takes a database over from a directory that came from another job, whose carrier the caller trusts with it: its rows are believed, if they are such as Wave writes. */
import { lstat, readFile } from "node:fs/promises";
import type { Database } from "sql.js";
import { describeFailure } from "../core/failures.ts";
import { err, ok, type Result } from "../core/result.ts";
import { createStateDirectory, stateUnwritable, tryIo, writeFileDurably } from "../platform/files.ts";
import { type JsonCheck, rowsProblem } from "./check-rows.ts";
import { emptyDatabase, openDatabase } from "./database-file.ts";
import { databaseFile } from "./database-place.ts";
import { loadSql, rowsOf } from "./sql-engine.ts";

/** In bytes: a database is loaded as a whole. */
const limit = 512e6;

/**
 * Takes the database over where there is none: it knows runs whose journals are gone. Returns why it was refused; undefined if it was taken, if there
 * is one already, or if none came. Fails with `state-unwritable`.
 */
export async function importDatabase(from: string, stateDir: string, check: JsonCheck): Promise<Result<string | undefined>> {
  const source = databaseFile(from);
  const target = databaseFile(stateDir);
  const found = await tryIo(() => lstat(source));
  if (!found.ok || (await tryIo(() => lstat(target))).ok) return ok(undefined);
  const problem = await problemOf(source, found.value, check);
  if (problem !== undefined) return ok(`the database was refused: ${problem}`);
  const directory = await tryIo(() => createStateDirectory(stateDir));
  if (!directory.ok) return err(stateUnwritable(stateDir, directory.error));
  const whole = await tryIo(() => readFile(source));
  if (!whole.ok) return ok(`the database was refused: ${whole.error.detail} (${whole.error.code})`);
  const written = await writeFileDurably(target, whole.value, 0o600);
  return written.ok ? ok(undefined) : err(stateUnwritable(target, written.error));
}

async function problemOf(file: string, found: { readonly size: number; isFile(): boolean }, check: JsonCheck): Promise<string | undefined> {
  if (!found.isFile()) return "it is no regular file";
  if (found.size > limit) return `it has ${found.size} bytes, and at most ${limit} are read`;
  const opened = await openDatabase(file);
  if (!opened.ok) return "detail" in opened.error ? opened.error.detail : describeFailure(opened.error).title;
  const { db, damaged, migrated } = opened.value;
  try {
    if (damaged) return "its bytes are not those that were saved";
    if (migrated) return "its tables are of an earlier version";
    // A view or a trigger would run SQL that Wave did not write.
    if (structureOf(db) !== (await ownStructure())) return "its tables are not those of this version";
    return rowsProblem(db, check);
  } finally {
    db.close();
  }
}

async function ownStructure(): Promise<string> {
  const db = emptyDatabase(await loadSql());
  try {
    return structureOf(db);
  } finally {
    db.close();
  }
}

function structureOf(db: Database): string {
  return JSON.stringify(rowsOf(db, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"));
}
