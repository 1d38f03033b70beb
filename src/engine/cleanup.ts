/**
 * Removes what state no longer needs: finished runs, which stay listed in the database; their workspaces and logs; and then blobs that no
 * run refers to. Runs are locked while they are removed, so that active runs are never touched. State stays readable at every step.
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
import { lockRuns, oldestExecution } from "../store/run-locks.ts";
import { hasCriteria, newestRuns, type RunCandidate, type RunCriteria, selectRuns } from "../store/select-runs.ts";
import type { RunStore } from "./open-project.ts";

export interface CleanupRequest {
  readonly store: Pick<RunStore, "stateDir" | "state" | "blobs">;
  readonly criteria: RunCriteria;
  /** Lists what would be removed, without removing it. */
  readonly dry: boolean;
}

/** A removed part of a run. */
export interface RemovedPart {
  readonly run: string;
  readonly kind: "journals" | RunLeftovers["kind"];
  readonly bytes: number;
}

/** A run that is kept, and the run that reuses its results. */
export interface ReusedRun {
  readonly run: string;
  readonly by: string;
}

/** The removed runs and parts, or with `dry` those that would be removed. `live`: active runs, which are kept. `bytes`: the sum of all. */
export interface Cleanup extends Sweep {
  readonly runs: readonly RunCandidate[];
  readonly parts: readonly RemovedPart[];
  readonly live: readonly string[];
  /** Runs that match the criteria but are kept, because a kept run reuses their results. */
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
 * Fails as reading state does, with `state-locked` while another cleanup is running, and with `state-unwritable` and `workspace-failed`.
 * Parts that were removed before a failure stay removed; another cleanup removes the rest.
 */
export async function cleanUp(request: CleanupRequest): Promise<Result<Cleanup>> {
  const { stateDir } = request.store;
  if (!existsSync(stateDir)) return ok(nothing);
  return request.dry ? removeUnneeded(request) : withMaintenanceLock(stateDir, systemClock, "writes", () => removeUnneeded(request));
}

async function removeUnneeded({ store, criteria, dry }: CleanupRequest): Promise<Result<Cleanup>> {
  const { stateDir } = store;
  const now = systemClock.now();
  const survey = await surveyOf(store, criteria, now);
  if (!survey.ok) return survey;
  const { runs: candidates, unstarted: dead, leftovers, reused } = survey.value;
  const ids = [...candidates.map(({ id }) => id), ...dead, ...leftovers.map(({ run }) => run)];
  const locked = await lockRuns(stateDir, ids, systemClock, dry ? "check" : "lock");
  if (!locked.ok) return locked;
  const { free, live, release } = locked.value;
  let removed: Result<Removed>;
  try {
    // Read again: a run may have been resumed before the locks were taken.
    const again = dry ? survey : await surveyOf(store, criteria, now);
    removed = again.ok ? await removeRuns(stateDir, onlyFree(again.value, free), dry) : again;
  } finally {
    await release();
  }
  if (!removed.ok) return removed;
  const { runs, unstarted, parts } = removed.value;
  const swept = await sweepBlobs({ store, without: new Set([...runs.map(({ id }) => id), ...unstarted]), dry, now });
  if (!swept.ok) return swept;
  const bytes = parts.reduce((sum, part) => sum + part.bytes, swept.value.gone.bytes);
  return ok({ runs, parts, live, reused, ...swept.value, bytes });
}

/** The runs and parts that may be removed. */
interface Survey {
  readonly runs: readonly RunCandidate[];
  /** Runs whose process died before `run-started`: their journals are empty. */
  readonly unstarted: readonly string[];
  readonly leftovers: readonly RunLeftovers[];
  readonly reused: readonly ReusedRun[];
}

interface Removed extends Omit<Survey, "leftovers" | "reused"> {
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
  const unstarted: string[] = [];
  for (const run of journals.value.filter((name) => !known.has(name))) {
    const written = await lastWritten(stateDir, run);
    if (!written.ok) return written;
    if (written.value < now - graceMs) unstarted.push(run);
  }
  const leftovers = await listLeftovers(stateDir);
  if (!leftovers.ok) return leftovers;
  const selected = await withoutReused(state, candidates, selectRuns(candidates, criteria, now));
  if (!selected.ok) return selected;
  const { runs, reused } = selected.value;
  const going = new Set(runs.map(({ id }) => id));
  const staying = hasCriteria(criteria) ? known : newestRuns(candidates);
  const removable = leftovers.value.filter(({ run }) => going.has(run) || !staying.has(run));
  return ok({ runs, unstarted, leftovers: removable, reused });
}

/** Excludes runs from a selection whose results a kept run reuses, directly or through another run. */
async function withoutReused(
  state: CleanupRequest["store"]["state"],
  candidates: readonly RunCandidate[],
  selected: readonly RunCandidate[],
): Promise<Result<{ readonly runs: readonly RunCandidate[]; readonly reused: readonly ReusedRun[] }>> {
  const going = new Map(selected.map((run) => [run.id, run]));
  const reused: ReusedRun[] = [];
  const staying = going.size === 0 ? [] : candidates.filter(({ id }) => !going.has(id)).map(({ id }) => id);
  for (let by = staying.pop(); by !== undefined && going.size > 0; by = staying.pop()) {
    const run = await state.findRun(by);
    if (!run.ok) return run;
    for (const { reusedFrom } of run.value.steps) {
      if (reusedFrom === undefined || !going.delete(reusedFrom.run)) continue;
      reused.push({ run: reusedFrom.run, by });
      staying.push(reusedFrom.run);
    }
  }
  return ok({ runs: [...going.values()], reused });
}

function onlyFree({ runs, unstarted, leftovers, reused }: Survey, free: ReadonlySet<string>): Survey {
  return {
    runs: runs.filter(({ id }) => free.has(id)),
    unstarted: unstarted.filter((run) => free.has(run)),
    leftovers: leftovers.filter(({ run }) => free.has(run)),
    reused,
  };
}

/**
 * Removes runs that are not locked. Leftovers are removed last: leftovers without a run are found again, but a run
 * without its rows is not.
 */
async function removeRuns(stateDir: string, { runs, unstarted, leftovers }: Survey, dry: boolean): Promise<Result<Removed>> {
  const going = [...runs.map(({ id }) => id), ...unstarted];
  const parts: RemovedPart[] = [];
  for (const run of going) parts.push({ run, kind: "journals", bytes: await directorySize(path.join(journalsDirectory(stateDir), run)) });
  const archived = dry ? ok(undefined) : await archiveRuns(stateDir, systemClock, going);
  if (!archived.ok) return archived;
  for (const { kind, run, directory } of leftovers) {
    const bytes = await directorySize(directory);
    const gone = dry ? ok(undefined) : await removeTree(directory);
    if (!gone.ok) return gone;
    if (bytes > 0) parts.push({ run, kind, bytes });
  }
  const emptied = dry ? ok(undefined) : await emptyTrash(stateDir);
  return emptied.ok ? ok({ runs, unstarted, parts }) : emptied;
}

/** How long an unreferenced blob is kept, in milliseconds: a run that is just starting may refer to it later. */
const graceMs = 60 * 60_000;

interface SweepRequest {
  readonly store: Pick<RunStore, "stateDir" | "blobs">;
  /** Runs that count as removed. */
  readonly without: ReadonlySet<string>;
  readonly dry: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The removed blobs, or with `dry` those that would be removed; `young`: unreferenced blobs within the grace period. */
export interface Sweep {
  readonly gone: Amount;
  readonly young: Amount;
}

export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Removes unreferenced blobs that were last touched before the grace period, which starts when the oldest live run started. Fails with
 * `state-damaged`, without removing any, if the references of a run cannot be read.
 */
async function sweepBlobs({ store, without, dry, now }: SweepRequest): Promise<Result<Sweep>> {
  const { stateDir } = store;
  const before = Math.min(now, (await oldestExecution(stateDir, systemClock)) ?? now) - graceMs;
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

/** Every digest in the events of runs, and in the lists that they refer to. */
async function wantedBlobs(
  { stateDir, blobs }: SweepRequest["store"],
  without: ReadonlySet<string>,
  stored: ReadonlySet<Digest>,
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
      // The members of a missing list are unknown.
      if (opened.has(reference.digest) || !stored.has(reference.digest)) continue;
      if (reference.kind !== "bytes") opened.add(reference.digest);
      const members = await listedIn(blobs, reference);
      if (!members.ok) return members;
      for (const member of members.value) wanted.add(member);
    }
  }
  return ok(wanted);
}

/** Removes temporary files of writers that died, beside blobs and the database. Returns sizes in bytes. */
async function removeTorn(files: readonly string[], before: number, dry: boolean): Promise<readonly number[]> {
  const sizes: number[] = [];
  for (const file of files) {
    const stats = await tryIo(() => stat(file));
    if (!stats.ok || stats.value.mtimeMs >= before) continue;
    if (dry || (await tryIo(() => rm(file, { force: true }))).ok) sizes.push(stats.value.size);
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
