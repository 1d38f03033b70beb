/**
 * Imports journals from a directory of another job. Nothing in it is trusted: only regular files at their expected
 * paths are read. A journal is refused by name if its lines do not verify, if a different one exists here, or if a
 * process is writing it. The result does not depend on the order of directories, nor on how often each is imported.
 */
import { lstat, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { WaveEvent } from "../core/event.ts";
import { describeFailure } from "../core/failures.ts";
import { err, ok, type Result } from "../core/result.ts";
import { systemClock } from "../platform/clock.ts";
import { createStateDirectory, stateUnwritable, tryIo, writeFileDurably } from "../platform/files.ts";
import type { LineSigner } from "./line-signature.ts";
import { runLockFile, takeLock } from "./lock-file.ts";
import { journalFile, journalsDirectory, readJournal } from "./read-journal.ts";

/** The imported runs. `refused`: sentences that name the refused journals and the reasons. */
export interface ImportedJournals {
  readonly runs: readonly string[];
  readonly refused: readonly string[];
}

export interface JournalChecks {
  /** Returns why an intact line is not an event of this version, as a clause. */
  readonly eventProblem: (event: WaveEvent) => string | undefined;
  /** Set where journals are signed: every line needs a valid signature. */
  readonly signer?: LineSigner;
}

const runName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
const writerFile = /^([A-Za-z0-9][A-Za-z0-9._-]{0,199})\.jsonl$/;

/** For one journal, and for all journals of one directory, in bytes: they are read as a whole. */
const limits = { journal: 64e6, all: 256e6 } as const;

/** Imports every journal below `from`. Fails with `state-unwritable`. */
export async function importJournals(from: string, stateDir: string, checks: JournalChecks): Promise<Result<ImportedJournals>> {
  const runs = new Set<string>();
  const refused: { readonly journal: string; readonly why: string }[] = [];
  let remaining: number = limits.all;
  for (const run of await names(journalsDirectory(from), runName)) {
    for (const file of await names(path.join(journalsDirectory(from), run), writerFile)) {
      const found = { from, run, writer: writerFile.exec(file)?.[1] ?? "" };
      const bytes = await readCarried(found, checks, remaining);
      if (bytes.ok) {
        remaining -= bytes.value.length;
        const imported = await importJournal(found, stateDir, bytes.value);
        if (!imported.ok) return imported;
        if (imported.value === undefined) runs.add(run);
        else refused.push({ journal: `${run}/${file}`, why: imported.value });
      } else refused.push({ journal: `${run}/${file}`, why: bytes.error });
    }
  }
  return ok({ runs: [...runs], refused: sentences(refused) });
}

interface CarriedJournal {
  readonly from: string;
  readonly run: string;
  readonly writer: string;
}

/** The whole lines of a journal, all of them verified. Fails with a clause that names the first fault. */
async function readCarried(
  { from, run, writer }: CarriedJournal,
  { eventProblem, signer }: JournalChecks,
  remaining: number,
): Promise<Result<Buffer, string>> {
  const file = journalFile(from, run, writer);
  const found = await tryIo(() => lstat(file));
  if (!found.ok || !found.value.isFile()) return err("it is not a regular file");
  const limit = Math.min(limits.journal, remaining);
  if (found.value.size > limit) return err(`it has ${found.value.size} bytes, and at most ${limit} are read`);
  const read = await readJournal(from, run, writer);
  if (!read.ok) {
    const line = read.error.reason === "state-damaged" && read.error.line !== undefined ? `line ${read.error.line}: ` : "";
    return err(`${line}${"detail" in read.error ? read.error.detail : describeFailure(read.error).title}`);
  }
  for (const event of read.value.events) {
    if (signer !== undefined && !signer.verify(event.hash, event.sig)) {
      const what = event.sig === undefined ? "is not signed, and `state-key` is set" : "has a signature that `state-key` did not make";
      return err(`line ${event.seq} ${what}`);
    }
    const problem = eventProblem(event);
    if (problem !== undefined) return err(`line ${event.seq}: ${problem}`);
  }
  const whole = await tryIo(() => readFile(file));
  return whole.ok ? ok(whole.value.subarray(0, read.value.bytes)) : err(`${whole.error.detail} (${whole.error.code})`);
}

/** Returns why it was refused; undefined if it is here now. Existing lines are never changed; new ones are appended. */
async function importJournal({ run, writer }: CarriedJournal, stateDir: string, bytes: Buffer): Promise<Result<string | undefined>> {
  const target = journalFile(stateDir, run, writer);
  const directory = await tryIo(() => createStateDirectory(stateDir));
  if (!directory.ok) return err(stateUnwritable(stateDir, directory.error));
  const existing = await tryIo(() => readFile(target));
  if (existing.ok) {
    const shared = Math.min(existing.value.length, bytes.length);
    if (!existing.value.subarray(0, shared).equals(bytes.subarray(0, shared)))
      return ok("a different journal with the same name exists here");
    if (bytes.length <= existing.value.length) return ok(undefined);
  }
  const lock = await takeLock(runLockFile(stateDir, run), systemClock);
  if (!lock.ok) {
    if (lock.error.kind === "refused") return err(stateUnwritable(target, lock.error.problem));
    return ok(`process ${lock.error.holder.pid} is executing run ${run}`);
  }
  try {
    const written = await writeFileDurably(target, bytes);
    return written.ok ? ok(undefined) : err(stateUnwritable(target, written.error));
  } finally {
    await lock.value.release();
  }
}

/** One sentence per reason: a cache may contain many journals that are refused for the same one. */
function sentences(refused: readonly { readonly journal: string; readonly why: string }[]): readonly string[] {
  const byReason = new Map<string, string[]>();
  for (const { journal, why } of refused) byReason.set(why, [...(byReason.get(why) ?? []), journal]);
  return [...byReason].map(([why, [first = "", ...others]]) => {
    const more = others.length === 0 ? "was" : `and ${others.length} more were`;
    return `journal ${first} ${more} refused: ${why}`;
  });
}

/** The matching names in a directory; empty if the path is a link or not a directory. */
async function names(directory: string, pattern: RegExp): Promise<readonly string[]> {
  const listed = await tryIo(async () => ((await lstat(directory)).isDirectory() ? readdir(directory) : []));
  return listed.ok ? listed.value.filter((name) => pattern.test(name)).sort() : [];
}
