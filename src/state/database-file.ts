/**
 * The database as a file: read whole, checked, migrated, written whole. It knows the tables' versions and not what stands in
 * them.
 */
import { readFile, rename, stat } from "node:fs/promises";
import type { Database, SqlJsStatic } from "sql.js";
import type { Failure } from "../model/failure.ts";
import { err, ok, type Result } from "../model/result.ts";
import { type IoProblem, stateUnreadable, tryIo, writeFileDurably } from "../platform/files.ts";
import { applicationId, migrations } from "./schema.ts";
import { loadSql } from "./sql-engine.ts";

export interface OpenDatabase {
  readonly db: Database;
  /** Tells one content of the file from another without reading it; nothing where there is no file. */
  readonly stamp?: string;
  /** The file's tables were of an earlier version. */
  readonly migrated: boolean;
  /** The file was damaged; it is put aside when the new one is saved. */
  readonly damaged: boolean;
}

/** Identifies what a file holds at the moment; nothing where there is none. */
export async function stampOf(file: string): Promise<string | undefined> {
  const found = await tryIo(() => stat(file, { bigint: true }));
  return found.ok ? `${found.value.ino}:${found.value.size}:${found.value.mtimeNs}` : undefined;
}

/**
 * Opens the database; without a file, or with a damaged one, an empty one. Fails with `state-unreadable` where the file cannot be read, is
 * somebody else's database, or was written by a newer wave.
 */
export async function openDatabase(file: string): Promise<Result<OpenDatabase>> {
  const sql = await loadSql();
  const stamp = await stampOf(file);
  const read = await tryIo(() => readFile(file));
  if (!read.ok && read.error.code !== "ENOENT") return err(stateUnreadable(file, read.error));
  if (!read.ok || stamp === undefined) return ok({ ...empty(sql), damaged: false });
  const checked = checkDatabase(sql, read.value);
  if (checked.kind === "damaged") return ok({ ...empty(sql), stamp, damaged: true });
  if (checked.kind === "refused") return err(refusal(file, checked.detail));
  const migrated = migrate(checked.db, checked.version);
  return ok({ db: checked.db, stamp, migrated, damaged: false });
}

/** Writes the database durably; a damaged file is kept beside it. Gives the new stamp. */
export async function saveDatabase(
  file: string,
  open: Pick<OpenDatabase, "db" | "damaged">,
): Promise<Result<string | undefined, IoProblem>> {
  if (open.damaged) await tryIo(() => rename(file, `${file}.damaged`));
  const written = await writeFileDurably(file, open.db.export());
  return written.ok ? ok(await stampOf(file)) : written;
}

type Checked =
  | { readonly kind: "usable"; readonly db: Database; readonly version: number }
  | { readonly kind: "damaged" }
  | { readonly kind: "refused"; readonly detail: string };

function checkDatabase(sql: SqlJsStatic, bytes: Uint8Array): Checked {
  const db = new sql.Database(bytes);
  const checked = examine(db);
  if (checked.kind !== "usable") db.close();
  return checked;
}

function examine(db: Database): Checked {
  try {
    const id = pragma(db, "application_id");
    const version = pragma(db, "user_version");
    const tables = Number(db.exec("SELECT count(*) FROM sqlite_schema")[0]?.values[0]?.[0] ?? 0);
    if (id !== applicationId && (tables > 0 || id !== 0)) return { kind: "refused", detail: "it is not a database of wave" };
    if (typeof version !== "number" || version > migrations.length) {
      return {
        kind: "refused",
        detail: `its tables are of version ${version}, and this version of wave knows versions up to ${migrations.length}: a newer wave wrote it`,
      };
    }
    if (pragma(db, "quick_check") !== "ok") return { kind: "damaged" };
    return { kind: "usable", db, version: id === applicationId ? version : 0 };
  } catch (error) {
    // SQLite throws for bytes that are no database, or not any more.
    if (error instanceof Error) return { kind: "damaged" };
    throw error;
  }
}

function empty(sql: SqlJsStatic): { readonly db: Database; readonly migrated: false } {
  const db = new sql.Database();
  migrate(db, 0);
  return { db, migrated: false };
}

/** Brings the tables from a version to the current one. Gives whether anything was to be done. */
function migrate(db: Database, from: number): boolean {
  if (from === migrations.length) return false;
  db.run("BEGIN");
  for (const migration of migrations.slice(from)) db.exec(migration);
  db.run(`PRAGMA application_id = ${applicationId}`);
  db.run(`PRAGMA user_version = ${migrations.length}`);
  db.run("COMMIT");
  return true;
}

function pragma(db: Database, name: string): unknown {
  return db.exec(`PRAGMA ${name}`)[0]?.values[0]?.[0];
}

function refusal(file: string, detail: string): Failure {
  return { reason: "state-unreadable", path: file, detail };
}
