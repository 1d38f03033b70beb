/** Checks the database file for damage. Changes nothing, even if it could be repaired. */
import type { Database } from "sql.js";
import { err, ok, type Result } from "../core/result.ts";
import { readRegularFile, stateUnreadable, tryIo } from "../platform/files.ts";
import { examine } from "./database-file.ts";
import { openSeal } from "./database-seal.ts";
import { loadSql, rowsOf, textOf } from "./sql-engine.ts";
import type { Finding } from "./verify-journals.ts";

/** Maximum number of SQLite's own findings to report. */
const integrityLimit = 20;

/** `db` is set if its rows can be compared; the caller closes it. `exists` is false if nothing was saved yet. */
export interface DatabaseCheck {
  readonly exists: boolean;
  readonly db?: Database;
  readonly findings: readonly Finding[];
}

/**
 * Checks the seal, SQLite's structure, and the version of the tables. Fails with `state-unreadable` if the file cannot
 * be read.
 */
export async function checkDatabase(file: string): Promise<Result<DatabaseCheck>> {
  const read = await tryIo(() => readRegularFile(file));
  if (!read.ok) return read.error.code === "ENOENT" ? ok({ exists: false, findings: [] }) : err(stateUnreadable(file, read.error));
  if (read.value === undefined) return ok({ exists: true, findings: [{ file, detail: "it is not a regular file" }] });
  const sql = await loadSql();
  const { content, seal } = openSeal(read.value);
  const findings: Finding[] = [];
  if (seal === "missing") findings.push({ file, detail: "it does not end with Wave's seal: it was cut off, or another program wrote it" });
  if (seal === "broken") findings.push({ file, detail: "its bytes do not match its seal" });
  const db = new sql.Database(content);
  const checked = examine(db, "missing");
  if (checked.kind === "usable") {
    const broken = integrityFindings(db, file);
    findings.push(...broken);
    if (broken.length === 0) return ok({ exists: true, db, findings });
  } else if (checked.kind === "outdated") {
    const detail = `its tables have version ${checked.version}: the next command that needs the database rebuilds it from the journals`;
    findings.push({ file, detail });
  } else findings.push({ file, detail: checked.detail });
  db.close();
  return ok({ exists: true, findings });
}

/** Findings that `quick_check` does not report: indexes that do not match their tables. */
function integrityFindings(db: Database, file: string): readonly Finding[] {
  const lines = rowsOf(db, `PRAGMA integrity_check(${integrityLimit})`).map((row) => textOf(row, "integrity_check"));
  return lines.filter((line) => line !== "ok").map((detail) => ({ file, detail }));
}
