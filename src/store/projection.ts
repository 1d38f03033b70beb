/**
 * Keeps the database level with the journals. What nobody writes any more is folded once and saved; runs that are still
 * written are folded in memory only, at each query. Where nothing may be written, everything is folded in memory.
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
  /** Runs that need not be looked at; their rows may be old. */
  readonly except: ReadonlySet<string>;
  /** How old the look at the journals may be, in milliseconds. */
  readonly withinMs: number;
}

export interface Projection {
  /**
   * The tables, level with the journals as far as `freshness` asks. Fails with `state-damaged`, `state-unreadable` and, when another
   * process keeps the database locked, with `state-locked`. The database is good until the next call.
   */
  current(freshness?: Freshness): Promise<Result<Database>>;
  /** The stamp of the file that the tables came from or were saved to; undefined if there is none. */
  stamp(): string | undefined;
}

const wholly: Freshness = { except: new Set(), withinMs: 0 };

/** How long to wait for another process to save, in milliseconds. */
const patienceMs = 5_000;

/** Opens nothing before the first query. */
export function openProjection(request: ProjectionRequest): Projection {
  const file = databaseFile(request.stateDir);
  let held: OpenDatabase | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let looked: { readonly at: number; readonly except: string } | undefined;

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
    if (held !== undefined && looked?.except === now.except && now.at - looked.at < withinMs) return ok(held.db);
    looked = now;
    const first = await look(request, load, except);
    if (!first.ok) return first;
    if (!first.value.worthSaving) return take(first.value);
    const lock = await lockDatabase(request, file);
    if (!lock.ok) return lock;
    if (lock.value === undefined) return take(first.value);
    try {
      const again = await look(request, load, except);
      if (!again.ok) return again;
      const taken = take(again.value);
      const saved = again.value.worthSaving ? await saveDatabase(file, again.value.open) : undefined;
      // A disk that takes nothing costs the next query some time, and this one nothing.
      if (saved?.ok && saved.value !== undefined) held = { db: again.value.open.db, stamp: saved.value };
      return taken;
    } finally {
      await lock.value.release();
    }
  };
  return {
    current(freshness = wholly) {
      const next = last.then(() => refresh(freshness));
      last = next.catch(() => undefined);
      return next;
    },
    stamp: () => held?.stamp,
  };
}

interface Look {
  readonly open: OpenDatabase;
  readonly archive: JournalScan["archive"];
  readonly readings: ReadonlyMap<string, readonly JournalReading[]>;
  readonly worthSaving: boolean;
}

async function look(
  request: ProjectionRequest,
  load: () => Promise<Result<OpenDatabase>>,
  except: ReadonlySet<string>,
): Promise<Result<Look>> {
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
    // A cleanup took the run away in the meantime; its rows stay.
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

/** Folds what was found into the tables in memory. */
function take({ open: { db }, archive, readings }: Look): Result<Database> {
  db.run("BEGIN");
  for (const [run, journals] of readings) replaceRun(db, run, foldRun(mergeEvents(journals)), journals.map(watermarkOf));
  for (const { run, archived } of archive) setArchived(db, run, Number(archived));
  db.run("COMMIT");
  return ok(db);
}

/** The database's lock; nothing where the directory takes no files, so that everything stays in memory. Fails with `state-locked`. */
export async function lockDatabase(
  { stateDir, clock }: Pick<ProjectionRequest, "stateDir" | "clock">,
  file: string,
): Promise<Result<Lock | undefined>> {
  const taken = await waitForLock(path.join(stateDir, "locks", "database"), clock, patienceMs);
  if (taken.ok) return ok(taken.value);
  if (taken.error.kind === "refused") return ok(undefined);
  const { pid, host } = taken.error.holder;
  return err({ reason: "state-locked", path: file, holder: `process ${pid} on ${host}` });
}
