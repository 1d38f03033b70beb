/** Removes the journals of runs permanently. The database keeps the record of each run. */
import { randomBytes } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { Database } from "sql.js";
import type { Clock } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { stateUnwritable, tryIo } from "../platform/files.ts";
import { openDatabase, saveDatabase } from "./database-file.ts";
import { databaseFile } from "./database-place.ts";
import { foldRun } from "./fold-run.ts";
import { lockDatabase } from "./projection.ts";
import { journalsDirectory, mergeEvents, readRun } from "./read-journal.ts";
import { replaceRun, setArchived } from "./run-rows.ts";
import { cleanedAway } from "./schema.ts";
import { watermarkOf } from "./watermark.ts";

/**
 * Folds the runs, whose locks the caller holds, into the database, marks them as cleaned away, as well as all runs
 * whose journals are already gone, and saves. Then moves the journals of each run to the trash in one step, and empties
 * it. After a crash, a run either has all its journals or is archived. Fails with `state-damaged` if a journal cannot
 * be folded, and as saving does; no journal is removed then.
 */
export async function archiveRuns(stateDir: string, clock: Clock, runs: readonly string[]): Promise<Result<void>> {
  const lock = await lockDatabase({ stateDir, clock }, databaseFile(stateDir));
  if (!lock.ok) return lock;
  try {
    const saved = await saveArchived(stateDir, runs);
    if (!saved.ok) return saved;
    for (const run of runs) {
      const gone = await moveToTrash(stateDir, path.join(journalsDirectory(stateDir), run));
      if (!gone.ok) return gone;
    }
  } finally {
    await lock.value?.release();
  }
  return emptyTrash(stateDir);
}

async function saveArchived(stateDir: string, runs: readonly string[]): Promise<Result<void>> {
  const file = databaseFile(stateDir);
  const opened = await openDatabase(file);
  if (!opened.ok) return opened;
  const { db } = opened.value;
  try {
    const folded = await foldInto(db, stateDir, runs);
    if (!folded.ok) return folded;
    // The blobs of runs that lost their journals in another way are not needed either.
    db.run("UPDATE runs SET archived = ? WHERE archived = 1", [cleanedAway]);
    if (runs.length === 0 && db.getRowsModified() === 0) return ok(undefined);
    const saved = await saveDatabase(file, opened.value);
    return saved.ok ? ok(undefined) : err(stateUnwritable(file, saved.error));
  } finally {
    db.close();
  }
}

async function foldInto(db: Database, stateDir: string, runs: readonly string[]): Promise<Result<void>> {
  for (const run of runs) {
    const read = await readRun(stateDir, run);
    if (!read.ok) return read;
    if (read.value.length === 0) continue;
    replaceRun(db, run, foldRun(mergeEvents(read.value)), read.value.map(watermarkOf));
    setArchived(db, run, cleanedAway);
  }
  return ok(undefined);
}

/** Moves a file or directory of state into the trash, in one step. Fails with `state-unwritable`. */
async function moveToTrash(stateDir: string, place: string): Promise<Result<void>> {
  const moved = await tryIo(async () => {
    await mkdir(trashDirectory(stateDir), { recursive: true, mode: 0o700 });
    await rename(place, path.join(trashDirectory(stateDir), `${path.basename(place)}.${randomBytes(4).toString("hex")}`));
  });
  return moved.ok || moved.error.code === "ENOENT" ? ok(undefined) : err(stateUnwritable(place, moved.error));
}

/** Empties the trash, including what an interrupted cleanup left there. Fails with `state-unwritable`. */
export async function emptyTrash(stateDir: string): Promise<Result<void>> {
  const trash = trashDirectory(stateDir);
  const gone = await tryIo(() => rm(trash, { recursive: true, force: true, maxRetries: 3 }));
  return gone.ok ? ok(undefined) : err(stateUnwritable(trash, gone.error));
}

function trashDirectory(stateDir: string): string {
  return path.join(stateDir, "trash");
}
