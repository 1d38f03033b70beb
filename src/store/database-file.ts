/**
 * The database as a file: read whole, checked, migrated, written whole under a seal. It knows the tables' versions and not what
 * stands in them.
 */
import { rename } from "node:fs/promises";
import type { Database, SqlJsStatic } from "sql.js";
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";
import { type IoProblem, readRegularFile, stateUnreadable, tryIo, writeFileDurably } from "../platform/files.ts";
import { stampOf } from "./database-place.ts";
import { openSeal, type Seal, sealDatabase } from "./database-seal.ts";
import { salvageRows } from "./salvage-rows.ts";
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

/**
 * Opens the database; without a file an empty one, and for a damaged one the runs that can still be read of it. Fails with
 * `state-unreadable` where the file cannot be read, is somebody else's database, or was written by a newer wave.
 */
export async function openDatabase(file: string): Promise<Result<OpenDatabase>> {
  const sql = await loadSql();
  const stamp = await stampOf(file);
  const read = await tryIo(() => readRegularFile(file));
  if (!read.ok && read.error.code !== "ENOENT") return err(stateUnreadable(file, read.error));
  if (!read.ok || stamp === undefined) return ok({ db: emptyDatabase(sql), migrated: false, damaged: false });
  if (read.value === undefined) return ok({ db: emptyDatabase(sql), stamp, migrated: false, damaged: true });
  const { content, seal } = openSeal(read.value);
  const db = new sql.Database(content);
  const checked = examine(db, seal);
  const migrated = checked.kind === "usable" ? migrate(db, checked.version) : "failed";
  if (migrated !== "failed") return ok({ db, stamp, migrated: migrated === "done", damaged: false });
  const saved = checked.kind === "refused" ? err(refusal(file, checked.detail)) : ok(salvage(sql, db));
  db.close();
  return saved.ok ? ok({ db: saved.value, stamp, migrated: false, damaged: true }) : saved;
}

/** What is left of a damaged database. Where its structure is whole most rows are, whatever its header says. */
function salvage(sql: SqlJsStatic, db: Database): Database {
  const saved = emptyDatabase(sql);
  try {
    if (pragma(db, "quick_check") !== "ok") return saved;
    migrate(db, Number(pragma(db, "user_version")));
  } catch (error) {
    if (error instanceof Error) return saved;
    throw error;
  }
  salvageRows(db, saved);
  return saved;
}

/** Writes the database durably; a damaged file is kept beside it. Gives the new stamp. */
export async function saveDatabase(
  file: string,
  open: Pick<OpenDatabase, "db" | "damaged">,
): Promise<Result<string | undefined, IoProblem>> {
  if (open.damaged) await tryIo(() => rename(file, `${file}.damaged`));
  const written = await writeFileDurably(file, sealDatabase(open.db.export()), 0o600);
  return written.ok ? ok(await stampOf(file)) : written;
}

/** What a database is good for: `version` is that of its tables, `refused` means that it is not this wave's to touch. */
export type Checked =
  | { readonly kind: "usable"; readonly version: number }
  | { readonly kind: "damaged"; readonly detail: string }
  | { readonly kind: "refused"; readonly detail: string };

/** Looks at a database before it is used. What an intact seal covers is what wave wrote, and need not be walked through. */
export function examine(db: Database, seal: Seal): Checked {
  if (seal === "broken") return { kind: "damaged", detail: "its bytes are not those that were sealed" };
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
    const damage = seal === "intact" ? "ok" : pragma(db, "quick_check");
    if (damage !== "ok") return { kind: "damaged", detail: String(damage) };
    return { kind: "usable", version: id === applicationId ? version : 0 };
  } catch (error) {
    // SQLite throws for bytes that are no database, or not any more.
    if (error instanceof Error) return { kind: "damaged", detail: error.message };
    throw error;
  }
}

/** The current tables, with nothing in them. */
export function emptyDatabase(sql: SqlJsStatic): Database {
  const db = new sql.Database();
  migrate(db, 0);
  return db;
}

/** Brings the tables from a version to the current one. `failed`: they are not of that version, and stay as they are. */
export function migrate(db: Database, from: number): "done" | "needless" | "failed" {
  if (from === migrations.length) return "needless";
  db.run("BEGIN");
  try {
    for (const migration of migrations.slice(from)) db.exec(migration);
    db.run(`PRAGMA application_id = ${applicationId}`);
    db.run(`PRAGMA user_version = ${migrations.length}`);
    db.run("COMMIT");
    return "done";
  } catch (error) {
    db.run("ROLLBACK");
    if (error instanceof Error) return "failed";
    throw error;
  }
}

function pragma(db: Database, name: string): unknown {
  return db.exec(`PRAGMA ${name}`)[0]?.values[0]?.[0];
}

function refusal(file: string, detail: string): Failure {
  return { reason: "state-unreadable", path: file, detail };
}
