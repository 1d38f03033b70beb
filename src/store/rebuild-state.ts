/**
 * Rebuilds the database from the journals, independent of the old one; runs that only the old one has are copied as
 * archived.
 */
import { existsSync } from "node:fs";
import type { Database } from "sql.js";
import type { Clock } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { stateUnwritable } from "../platform/files.ts";
import { emptyDatabase, openDatabase, saveDatabase } from "./database-file.ts";
import { databaseFile } from "./database-place.ts";
import { foldRun } from "./fold-run.ts";
import { withMaintenanceLock } from "./maintenance-lock.ts";
import { lockDatabase } from "./projection.ts";
import { listJournalRuns, mergeEvents, readRun } from "./read-journal.ts";
import { replaceRun, watermarksOf } from "./run-rows.ts";
import { salvageRows } from "./salvage-rows.ts";
import { loadSql, numberOf, rowsOf } from "./sql-engine.ts";
import { checkRun, type Finding } from "./verify-journals.ts";
import { watermarkOf } from "./watermark.ts";

/** Counts of the new database. `disagreements`: where the journals differ from what the old one had read. */
export interface Rebuilt {
  readonly runs: number;
  readonly archived: number;
  readonly disagreements: readonly Finding[];
}

/**
 * Fails with `state-damaged` if a journal is damaged in itself, with `state-unreadable` if the database is not of this
 * version of Wave, with `state-locked`, and with `state-unwritable`; the old database is kept then.
 */
export async function rebuildState(stateDir: string, clock: Clock): Promise<Result<Rebuilt>> {
  if (!existsSync(stateDir)) return ok({ runs: 0, archived: 0, disagreements: [] });
  return withMaintenanceLock(stateDir, clock, "writes", async () => {
    const lock = await lockDatabase({ stateDir, clock }, databaseFile(stateDir));
    if (!lock.ok) return lock;
    try {
      return await rebuild(stateDir);
    } finally {
      await lock.value?.release();
    }
  });
}

async function rebuild(stateDir: string): Promise<Result<Rebuilt>> {
  const file = databaseFile(stateDir);
  const old = await openDatabase(file);
  if (!old.ok) return old;
  const db = emptyDatabase(await loadSql());
  try {
    const disagreements = await disagreementsWith(stateDir, old.value.db);
    if (!disagreements.ok) return disagreements;
    const filled = await fill(db, stateDir, old.value.db);
    if (!filled.ok) return filled;
    const saved = await saveDatabase(file, { ...old.value, db });
    if (!saved.ok) return err(stateUnwritable(file, saved.error));
    const [count] = rowsOf(db, "SELECT count(*) AS runs, coalesce(sum(archived <> 0), 0) AS archived FROM runs");
    const archived = count === undefined ? 0 : numberOf(count, "archived");
    return ok({ runs: count === undefined ? 0 : numberOf(count, "runs") - archived, archived, disagreements: disagreements.value });
  } finally {
    db.close();
    old.value.db.close();
  }
}

/** Folds every run that has journals, and copies all others as archived. */
async function fill(db: Database, stateDir: string, old: Database): Promise<Result<void>> {
  const runs = await listJournalRuns(stateDir);
  if (!runs.ok) return runs;
  const present = new Set<string>();
  db.run("BEGIN");
  for (const run of runs.value) {
    const read = await readRun(stateDir, run);
    if (!read.ok) return read;
    if (read.value.length === 0) continue;
    replaceRun(db, run, foldRun(mergeEvents(read.value)), read.value.map(watermarkOf));
    present.add(run);
  }
  db.run("COMMIT");
  salvageRows(old, db, present);
  const folded = JSON.stringify([...present]);
  db.run("UPDATE runs SET archived = 1 WHERE archived = 0 AND run NOT IN (SELECT value FROM json_each(?))", [folded]);
  return ok(undefined);
}

async function disagreementsWith(stateDir: string, old: Database): Promise<Result<readonly Finding[]>> {
  const found: Finding[] = [];
  for (const [run, marks] of watermarksOf(old)) {
    const checked = await checkRun(stateDir, run, marks);
    if (!checked.ok) return checked;
    found.push(...checked.value.findings);
  }
  return ok(found);
}
