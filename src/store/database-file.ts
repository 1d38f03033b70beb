/**
 * Reads the database file as a whole and checks it; writes it as a whole with a seal. Checks the version of the tables,
 * not their rows.
 */
import { rename } from "node:fs/promises";
import type { Database, SqlJsStatic } from "sql.js";
import { err, ok, type Result } from "../core/result.ts";
import { type IoProblem, readRegularFile, stateUnreadable, tryIo, writeFileDurably } from "../platform/files.ts";
import { stampOf } from "./database-place.ts";
import { openSeal, type Seal, sealDatabase } from "./database-seal.ts";
import { salvageRows } from "./salvage-rows.ts";
import { applicationId, tables, tablesVersion } from "./schema.ts";
import { loadSql } from "./sql-engine.ts";

export interface OpenDatabase {
  readonly db: Database;
  /** Identifies the file's content without reading it; undefined if there is no file. */
  readonly stamp?: string;
  /** Set if the file cannot be used and `db` is to replace it; the old file is then kept as `wave.db.ASIDE`. */
  readonly aside?: "damaged" | `v${number}`;
}

/**
 * Opens the database. It is empty if there is no file or its tables have an earlier version; for a damaged file it
 * contains the runs that are still readable. Fails with `state-unreadable` if the file cannot be read, is not a Wave
 * database, or was written by a later version.
 */
export async function openDatabase(file: string): Promise<Result<OpenDatabase>> {
  const sql = await loadSql();
  const stamp = await stampOf(file);
  const read = await tryIo(() => readRegularFile(file));
  if (!read.ok && read.error.code !== "ENOENT") return err(stateUnreadable(file, read.error));
  if (!read.ok || stamp === undefined) return ok({ db: emptyDatabase(sql) });
  if (read.value === undefined) return ok({ db: emptyDatabase(sql), stamp, aside: "damaged" });
  const { content, seal } = openSeal(read.value);
  const db = new sql.Database(content);
  const checked = examine(db, seal);
  if (checked.kind === "usable") return ok({ db, stamp });
  try {
    if (checked.kind === "refused") return err({ reason: "state-unreadable", path: file, detail: checked.detail });
    if (checked.kind === "outdated") return ok({ db: emptyDatabase(sql), stamp, aside: `v${checked.version}` });
    return ok({ db: salvage(sql, db), stamp, aside: "damaged" });
  } finally {
    db.close();
  }
}

/** The runs that can be read from a damaged database whose structure is intact, whatever its header states. */
function salvage(sql: SqlJsStatic, db: Database): Database {
  const saved = emptyDatabase(sql);
  try {
    if (pragma(db, "quick_check") !== "ok") return saved;
  } catch (error) {
    if (error instanceof Error) return saved;
    throw error;
  }
  salvageRows(db, saved);
  return saved;
}

/** Writes the database durably and keeps an unusable file beside it. Returns the new stamp. */
export async function saveDatabase(file: string, open: Pick<OpenDatabase, "db" | "aside">): Promise<Result<string | undefined, IoProblem>> {
  if (open.aside !== undefined) await tryIo(() => rename(file, `${file}.${open.aside}`));
  const written = await writeFileDurably(file, sealDatabase(open.db.export()), 0o600);
  return written.ok ? ok(await stampOf(file)) : written;
}

/** The result of a check. `refused`: this version must not replace the file. */
export type Checked =
  | { readonly kind: "usable" }
  | { readonly kind: "outdated"; readonly version: number }
  | { readonly kind: "damaged"; readonly detail: string }
  | { readonly kind: "refused"; readonly detail: string };

/** Checks a database before it is used. An intact seal covers bytes that Wave wrote, so SQLite's own check is skipped. */
export function examine(db: Database, seal: Seal): Checked {
  if (seal === "broken") return { kind: "damaged", detail: "its bytes do not match its seal" };
  try {
    const id = pragma(db, "application_id");
    const version = pragma(db, "user_version");
    const count = Number(db.exec("SELECT count(*) FROM sqlite_schema")[0]?.values[0]?.[0] ?? 0);
    if (id !== applicationId && (count > 0 || id !== 0)) return { kind: "refused", detail: "it is not a Wave database" };
    if (typeof version !== "number" || version > tablesVersion) {
      return {
        kind: "refused",
        detail: `a newer version of Wave wrote it: its tables have version ${version}, and this version reads version ${tablesVersion}`,
      };
    }
    const damage = seal === "intact" ? "ok" : pragma(db, "quick_check");
    if (damage !== "ok") return { kind: "damaged", detail: String(damage) };
    if (id !== applicationId) return { kind: "damaged", detail: "it has no tables" };
    return version === tablesVersion ? { kind: "usable" } : { kind: "outdated", version };
  } catch (error) {
    // SQLite throws for bytes that are not a database.
    if (error instanceof Error) return { kind: "damaged", detail: error.message };
    throw error;
  }
}

/** A database with the current tables and no rows. */
export function emptyDatabase(sql: SqlJsStatic): Database {
  const db = new sql.Database();
  db.exec(tables);
  db.run(`PRAGMA application_id = ${applicationId}`);
  db.run(`PRAGMA user_version = ${tablesVersion}`);
  return db;
}

function pragma(db: Database, name: string): unknown {
  return db.exec(`PRAGMA ${name}`)[0]?.values[0]?.[0];
}
