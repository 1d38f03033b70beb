/**
 * Keeps the database up to date with the journals. Runs without a live writer are folded once and saved; other runs are
 * folded in memory at each query. If nothing can be written, every run is folded in memory.
 */
import path from "node:path";
import type { Database } from "sql.js";
import type { Clock } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { type OpenDatabase, openDatabase, saveDatabase } from "./database-file.ts";
import { databaseFile, stampOf } from "./database-place.ts";
import { foldRun } from "./fold-run.ts";
import { type Lock, waitForLock } from "./lock-file.ts";
import type { Liveness } from "./project-run.ts";
import { type JournalReading, mergeEvents, readRun } from "./read-journal.ts";
import { archivedRuns, replaceRun, setArchived, watermarksOf } from "./run-rows.ts";
import { type JournalScan, scanJournals } from "./scan-journals.ts";
import { isWritten, rewrittenJournal, watermarkOf } from "./watermark.ts";

export interface ProjectionRequest {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly isAlive: Liveness;
}

export interface Freshness {
  /** Runs that need not be checked; their rows may be out of date. */
  readonly except: ReadonlySet<string>;
  /** Maximum age of the last check of the journals, in milliseconds. */
  readonly withinMs: number;
}

export interface Projection {
  /**
   * The tables, up to date with the journals as far as `freshness` requires. Fails with `state-damaged`, with
   * `state-unreadable`, and with `state-locked` if another process keeps the database locked. The database is valid
   * until the next call.
   */
  current(freshness?: Freshness): Promise<Result<Database>>;
  /** The stamp of the file that the tables came from or were saved to; undefined if there is none. */
  stamp(): string | undefined;
}

const upToDate: Freshness = { except: new Set(), withinMs: 0 };

/** How long to wait for another process to save, in milliseconds. */
const lockTimeoutMs = 5_000;

/** Opens nothing before the first query. */
export function openProjection(request: ProjectionRequest): Projection {
  const file = databaseFile(request.stateDir);
  let held: OpenDatabase | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let lastCheck: { readonly at: number; readonly except: string } | undefined;

  const load = async (): Promise<Result<OpenDatabase>> => {
    if (held !== undefined && held.stamp === (await stampOf(file))) return ok(held);
    held?.db.close();
    held = undefined;
    const opened = await openDatabase(file);
    if (opened.ok) held = opened.value;
    return opened;
  };
  const refresh = async ({ except, withinMs }: Freshness): Promise<Result<Database>> => {
    const now = { at: request.clock.monotonic(), except: [...except].join() };
    if (held !== undefined && lastCheck?.except === now.except && now.at - lastCheck.at < withinMs) return ok(held.db);
    lastCheck = now;
    const first = await readChanges(request, load, except);
    if (!first.ok) return first;
    if (!first.value.worthSaving) return foldChanges(first.value);
    const lock = await lockDatabase(request, file);
    if (!lock.ok) return lock;
    if (lock.value === undefined) return foldChanges(first.value);
    try {
      const again = await readChanges(request, load, except);
      if (!again.ok) return again;
      const taken = foldChanges(again.value);
      const saved = again.value.worthSaving ? await saveDatabase(file, again.value.open) : undefined;
      // If saving fails, this query still succeeds, and the next one folds the runs again.
      if (saved?.ok && saved.value !== undefined) held = { db: again.value.open.db, stamp: saved.value };
      return taken;
    } finally {
      await lock.value.release();
    }
  };
  return {
    current(freshness = upToDate) {
      const next = last.then(() => refresh(freshness));
      last = next.catch(() => undefined);
      return next;
    },
    stamp: () => held?.stamp,
  };
}

interface JournalChanges {
  readonly open: OpenDatabase;
  readonly archive: JournalScan["archive"];
  readonly readings: ReadonlyMap<string, readonly JournalReading[]>;
  readonly worthSaving: boolean;
}

async function readChanges(
  request: ProjectionRequest,
  load: () => Promise<Result<OpenDatabase>>,
  except: ReadonlySet<string>,
): Promise<Result<JournalChanges>> {
  const open = await load();
  if (!open.ok) return open;
  const { db, aside } = open.value;
  const marks = watermarksOf(db);
  const scan = scanJournals(request.stateDir, archivedRuns(db), marks);
  if (!scan.ok) return scan;
  const readings = new Map<string, readonly JournalReading[]>();
  let settled = false;
  for (const run of scan.value.grown) {
    if (except.has(run)) continue;
    const read = await readRun(request.stateDir, run);
    if (!read.ok) return read;
    // A cleanup removed the run meanwhile; its rows stay.
    if (read.value.length === 0) continue;
    const rewritten = rewrittenJournal(read.value, marks.get(run) ?? []);
    if (rewritten !== undefined) return err(rewritten);
    readings.set(run, read.value);
    settled ||= !isWritten(read.value, request.isAlive);
  }
  return ok({
    open: open.value,
    archive: scan.value.archive,
    readings,
    worthSaving: settled || scan.value.archive.length > 0 || aside !== undefined,
  });
}

/** Folds the readings into the tables in memory. */
function foldChanges({ open: { db }, archive, readings }: JournalChanges): Result<Database> {
  db.run("BEGIN");
  for (const [run, journals] of readings) replaceRun(db, run, foldRun(mergeEvents(journals)), journals.map(watermarkOf));
  for (const { run, archived } of archive) setArchived(db, run, Number(archived));
  db.run("COMMIT");
  return ok(db);
}

/**
 * The database's lock. Undefined if the directory is read-only: everything stays in memory then. Fails with
 * `state-locked`.
 */
export async function lockDatabase(
  { stateDir, clock }: Pick<ProjectionRequest, "stateDir" | "clock">,
  file: string,
): Promise<Result<Lock | undefined>> {
  const taken = await waitForLock(path.join(stateDir, "locks", "database"), clock, lockTimeoutMs);
  if (taken.ok) return ok(taken.value);
  if (taken.error.kind === "refused") return ok(undefined);
  const { pid, host } = taken.error.holder;
  return err({ reason: "state-locked", path: file, holder: `process ${pid} on ${host}` });
}
