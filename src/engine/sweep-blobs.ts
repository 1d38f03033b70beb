/**
 * The last chapter of a cleanup: blobs that no run refers to. What a run that is just starting, or going on, has stored and not
 * yet referred to stays: everything that was touched within an hour, or after an hour before the oldest live run began.
 */
import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { listBlobs, removeBlob } from "../blobs/blob-files.ts";
import type { Digest } from "../core/digest.ts";
import { ok, type Result } from "../core/result.ts";
import { systemClock } from "../platform/clock.ts";
import { tryIo } from "../platform/files.ts";
import { digestsIn, listedIn, referencesOf } from "../store/blob-references.ts";
import { listJournalRuns, mergeEvents, readRun } from "../store/read-journal.ts";
import { oldestLive } from "../store/run-locks.ts";
import type { RunStore } from "./open-project.ts";

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
