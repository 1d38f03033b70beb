/**
 * Takes away what state no longer needs: finished runs, whose rows stay in the database; workspaces and logs; and then the blobs that no
 * run refers to. Runs are locked while they go, so that a live run is never touched, and each step leaves state readable.
 */
import { existsSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { listBlobs, removeBlob } from "../blobs/blob-files.ts";
import { removeTree } from "../changeset/remove-tree.ts";
import type { Digest } from "../core/digest.ts";
import { ok, type Result } from "../core/result.ts";
import { systemClock } from "../platform/clock.ts";
import { tryIo } from "../platform/files.ts";
import { archiveRuns, emptyTrash } from "../store/archive-runs.ts";
import { digestsIn, listedIn, referencesOf } from "../store/blob-references.ts";
import { directorySize, lastWritten, listLeftovers, type RunLeftovers } from "../store/leftovers.ts";
import { withMaintenanceLock } from "../store/maintenance-lock.ts";
import { journalsDirectory, listJournalRuns, mergeEvents, readRun } from "../store/read-journal.ts";
import { oldestLive, takeRuns } from "../store/run-locks.ts";
import { newestRuns, type RunCandidate, type RunCriteria, saysSomething, selectRuns } from "../store/select-runs.ts";
import type { RunStore } from "./open-project.ts";

export interface CleanupRequest {
  readonly store: Pick<RunStore, "stateDir" | "state" | "blobs">;
  readonly criteria: RunCriteria;
  /** Only say what would go. */
  readonly dry: boolean;
}

/** A part of a run that went. */
export interface RemovedPart {
  readonly run: string;
  readonly kind: "journals" | RunLeftovers["kind"];
  readonly bytes: number;
}

/** A run that stays, and the run that reuses its results. */
export interface ReusedRun {
  readonly run: string;
  readonly by: string;
}

/** What went, or would go; `live` are runs that were left alone because somebody executes them. `bytes` is the sum of all. */
export interface Cleanup extends Sweep {
  readonly runs: readonly RunCandidate[];
  readonly parts: readonly RemovedPart[];
  readonly live: readonly string[];
  /** Runs that meet the criteria and stay, because a run that stays reuses their results. */
  readonly reused: readonly ReusedRun[];
  readonly bytes: number;
}

const nothing: Cleanup = {
  runs: [],
  parts: [],
  live: [],
  reused: [],
  gone: { count: 0, bytes: 0 },
  young: { count: 0, bytes: 0 },
  bytes: 0,
};

/**
 * Cleans up. Fails as reading state does, with `state-locked` while another cleanup is at work, and with `state-unwritable` and
 * `workspace-failed`: what was done until then is done, and another cleanup does the rest.
 */
export async function cleanUp(request: CleanupRequest): Promise<Result<Cleanup>> {
  const { stateDir } = request.store;
  if (!existsSync(stateDir)) return ok(nothing);
  return request.dry ? tidy(request) : withMaintenanceLock(stateDir, systemClock, "writes", () => tidy(request));
}

async function tidy({ store, criteria, dry }: CleanupRequest): Promise<Result<Cleanup>> {
  const { stateDir } = store;
  const now = systemClock.now();
  const found = await surveyOf(store, criteria, now);
  if (!found.ok) return found;
  const named = [...found.value.runs.map(({ id }) => id), ...found.value.unbegun, ...found.value.remains.map(({ run }) => run)];
  const taken = await takeRuns(stateDir, named, systemClock, dry ? "look" : "take");
  if (!taken.ok) return taken;
  const { free, live, release } = taken.value;
  let removed: Result<Removed>;
  try {
    // Asked again: until the locks were taken, somebody may have gone on with a run.
    const again = dry ? found : await surveyOf(store, criteria, now);
    removed = again.ok ? await removeRuns(stateDir, onlyFree(again.value, free), dry) : again;
  } finally {
    await release();
  }
  if (!removed.ok) return removed;
  const { runs, unbegun, parts } = removed.value;
  const swept = await sweepBlobs({ store, without: new Set([...runs.map(({ id }) => id), ...unbegun]), dry, now });
  if (!swept.ok) return swept;
  const bytes = parts.reduce((sum, part) => sum + part.bytes, swept.value.gone.bytes);
  return ok({ runs, parts, live, reused: found.value.reused, ...swept.value, bytes });
}

/** What there is to take. */
interface Survey {
  readonly runs: readonly RunCandidate[];
  /** Runs whose process died before they began: journals that say nothing. */
  readonly unbegun: readonly string[];
  readonly remains: readonly RunLeftovers[];
  readonly reused: readonly ReusedRun[];
}

interface Removed extends Omit<Survey, "remains" | "reused"> {
  readonly parts: readonly RemovedPart[];
}

async function surveyOf({ stateDir, state }: CleanupRequest["store"], criteria: RunCriteria, now: number): Promise<Result<Survey>> {
  const listed = await state.listRuns();
  if (!listed.ok) return listed;
  const candidates: RunCandidate[] = [];
  for (const run of listed.value.filter(({ archived }) => !archived)) {
    const written = run.finishedAt === undefined ? await lastWritten(stateDir, run.id) : ok(Date.parse(run.finishedAt));
    if (!written.ok) return written;
    candidates.push({ ...run, endedAt: written.value });
  }
  const known = new Set(candidates.map(({ id }) => id));
  const journals = await listJournalRuns(stateDir);
  if (!journals.ok) return journals;
  const unbegun: string[] = [];
  for (const run of journals.value.filter((name) => !known.has(name))) {
    const written = await lastWritten(stateDir, run);
    if (!written.ok) return written;
    if (written.value < now - graceMs) unbegun.push(run);
  }
  const remains = await listLeftovers(stateDir);
  if (!remains.ok) return remains;
  const selected = await withoutReused(state, candidates, selectRuns(candidates, criteria, now));
  if (!selected.ok) return selected;
  const { runs, reused } = selected.value;
  const going = new Set(runs.map(({ id }) => id));
  const staying = saysSomething(criteria) ? known : newestRuns(candidates);
  const chosen = remains.value.filter(({ run }) => going.has(run) || !staying.has(run));
  return ok({ runs, unbegun, remains: chosen, reused });
}

/** Takes the runs out of a selection whose results a run that stays reuses, directly or through another one. */
async function withoutReused(
  state: CleanupRequest["store"]["state"],
  candidates: readonly RunCandidate[],
  selected: readonly RunCandidate[],
): Promise<Result<{ readonly runs: readonly RunCandidate[]; readonly reused: readonly ReusedRun[] }>> {
  const going = new Map(selected.map((run) => [run.id, run]));
  const reused: ReusedRun[] = [];
  const staying = going.size === 0 ? [] : candidates.filter(({ id }) => !going.has(id)).map(({ id }) => id);
  for (let by = staying.pop(); by !== undefined && going.size > 0; by = staying.pop()) {
    const found = await state.findRun(by);
    if (!found.ok) return found;
    for (const { reusedFrom } of found.value.steps) {
      if (reusedFrom === undefined || !going.delete(reusedFrom.run)) continue;
      reused.push({ run: reusedFrom.run, by });
      staying.push(reusedFrom.run);
    }
  }
  return ok({ runs: [...going.values()], reused });
}

function onlyFree({ runs, unbegun, remains, reused }: Survey, free: ReadonlySet<string>): Survey {
  return {
    runs: runs.filter(({ id }) => free.has(id)),
    unbegun: unbegun.filter((run) => free.has(run)),
    remains: remains.filter(({ run }) => free.has(run)),
    reused,
  };
}

/** Takes away what nobody holds. Remains go last: those without a run are found again, a run without its rows would not be. */
async function removeRuns(stateDir: string, { runs, unbegun, remains }: Survey, dry: boolean): Promise<Result<Removed>> {
  const going = [...runs.map(({ id }) => id), ...unbegun];
  const parts: RemovedPart[] = [];
  for (const run of going) parts.push({ run, kind: "journals", bytes: await directorySize(path.join(journalsDirectory(stateDir), run)) });
  const archived = dry ? ok(undefined) : await archiveRuns(stateDir, systemClock, going);
  if (!archived.ok) return archived;
  for (const { kind, run, directory } of remains) {
    const bytes = await directorySize(directory);
    const gone = dry ? ok(undefined) : await removeTree(directory);
    if (!gone.ok) return gone;
    if (bytes > 0) parts.push({ run, kind, bytes });
  }
  const emptied = dry ? ok(undefined) : await emptyTrash(stateDir);
  return emptied.ok ? ok({ runs, unbegun, parts }) : emptied;
}

/** How long a blob stays that nobody refers to, in milliseconds. */
export const graceMs = 60 * 60_000;

export interface SweepRequest {
  readonly store: Pick<RunStore, "stateDir" | "blobs">;
  /** Runs that count as gone. */
  readonly without: ReadonlySet<string>;
  readonly dry: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What went (or would go), and what stays only because it is young. */
export interface Sweep {
  readonly gone: Amount;
  readonly young: Amount;
}

export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

/** Removes them. Fails with `state-damaged` where what a run refers to cannot be told: nothing is gone then. */
export async function sweepBlobs({ store, without, dry, now }: SweepRequest): Promise<Result<Sweep>> {
  const { stateDir } = store;
  const before = Math.min(now, (await oldestLive(stateDir, systemClock)) ?? now) - graceMs;
  const listed = await listBlobs(stateDir);
  if (!listed.ok) return listed;
  const { blobs, torn } = listed.value;
  const wanted = await wantedBlobs(store, without, new Set(blobs.map(({ digest }) => digest)));
  if (!wanted.ok) return wanted;
  const unwanted = blobs.filter(({ digest }) => !wanted.value.has(digest));
  const old = unwanted.filter(({ touchedAt }) => touchedAt < before);
  const gone = [];
  for (const blob of old) if (dry || (await removeBlob(blob, before))) gone.push(blob.size);
  gone.push(...(await removeTorn([...torn, ...(await tornDatabases(stateDir))], before, dry)));
  return ok({ gone: amountOf(gone), young: amountOf(unwanted.filter((blob) => !old.includes(blob)).map(({ size }) => size)) });
}

/** Every digest that a run mentions, and those that the blobs it refers to list. */
async function wantedBlobs(
  { stateDir, blobs }: SweepRequest["store"],
  without: ReadonlySet<string>,
  there: ReadonlySet<Digest>,
): Promise<Result<ReadonlySet<Digest>>> {
  const wanted = new Set<Digest>();
  const opened = new Set<Digest>();
  const runs = await listJournalRuns(stateDir);
  if (!runs.ok) return runs;
  for (const run of runs.value) {
    if (without.has(run)) continue;
    const read = await readRun(stateDir, run);
    if (!read.ok) return read;
    const events = mergeEvents(read.value);
    for (const digest of digestsIn(events)) wanted.add(digest);
    for (const reference of events.flatMap(referencesOf)) {
      // What a list that is gone listed, nobody can find any more.
      if (opened.has(reference.digest) || !there.has(reference.digest)) continue;
      if (reference.kind !== "bytes") opened.add(reference.digest);
      const members = await listedIn(blobs, reference);
      if (!members.ok) return members;
      for (const member of members.value) wanted.add(member);
    }
  }
  return ok(wanted);
}

/** What writers that died left beside blobs and the database. Gives sizes in bytes. */
async function removeTorn(files: readonly string[], before: number, dry: boolean): Promise<readonly number[]> {
  const sizes: number[] = [];
  for (const file of files) {
    const found = await tryIo(() => stat(file));
    if (!found.ok || found.value.mtimeMs >= before) continue;
    if (dry || (await tryIo(() => rm(file, { force: true }))).ok) sizes.push(found.value.size);
  }
  return sizes;
}

async function tornDatabases(stateDir: string): Promise<readonly string[]> {
  const names = await tryIo(() => readdir(stateDir));
  return names.ok ? names.value.filter((name) => /^\.wave\.db\..+\.tmp$/.test(name)).map((name) => path.join(stateDir, name)) : [];
}

function amountOf(sizes: readonly number[]): Amount {
  return { count: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
