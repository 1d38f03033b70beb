/**
 * Takes journals over from a directory that came from another job. Nothing in it is trusted: only regular files in their places are looked at,
 * and a journal whose lines do not verify, or that is not the one that is here, is refused by name. Any order and any number of times give the same.
 */
import { lstat, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describeFailure } from "../model/describe.ts";
import { err, ok, type Result } from "../model/result.ts";
import { createStateDirectory, stateUnwritable, tryIo, writeFileDurably } from "../platform/files.ts";
import { databaseFile, openDatabase } from "./database-file.ts";
import { journalFile, journalsDirectory, readJournal } from "./read-journal.ts";

/** What was taken over. `refused`: sentences that name what was not, and why. */
export interface AdoptedJournals {
  readonly runs: readonly string[];
  readonly refused: readonly string[];
}

const runName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
const writerFile = /^([A-Za-z0-9][A-Za-z0-9._-]{0,199})\.jsonl$/;

/** Takes over every journal below `from`. Fails with `state-unwritable`. */
export async function adoptJournals(from: string, stateDir: string): Promise<Result<AdoptedJournals>> {
  const runs: string[] = [];
  const refused: string[] = [];
  for (const run of await names(journalsDirectory(from), runName)) {
    for (const file of await names(path.join(journalsDirectory(from), run), writerFile)) {
      const writer = writerFile.exec(file)?.[1] ?? "";
      const adopted = await adoptJournal(from, stateDir, run, writer);
      if (!adopted.ok) return adopted;
      if (adopted.value === undefined) runs.push(run);
      else refused.push(`journal ${run}/${file} was refused: ${adopted.value}`);
    }
  }
  return ok({ runs: [...new Set(runs)], refused });
}

/** Gives why it was refused; nothing where it was not. */
async function adoptJournal(from: string, stateDir: string, run: string, writer: string): Promise<Result<string | undefined>> {
  const source = journalFile(from, run, writer);
  const found = await tryIo(() => lstat(source));
  if (!found.ok || !found.value.isFile()) return ok("it is no regular file");
  const read = await readJournal(from, run, writer);
  if (!read.ok) {
    const line = read.error.reason === "state-damaged" && read.error.line !== undefined ? `line ${read.error.line}: ` : "";
    return ok(`${line}${"detail" in read.error ? read.error.detail : describeFailure(read.error).title}`);
  }
  const whole = await tryIo(() => readFile(source));
  if (!whole.ok) return ok(`${whole.error.detail} (${whole.error.code})`);
  const bytes = whole.value.subarray(0, read.value.bytes);
  const target = journalFile(stateDir, run, writer);
  const here = await tryIo(() => readFile(target));
  if (here.ok) {
    const shared = Math.min(here.value.length, bytes.length);
    if (!here.value.subarray(0, shared).equals(bytes.subarray(0, shared))) return ok("it is not the one that is here under the same name");
    if (bytes.length <= here.value.length) return ok(undefined);
  }
  const directory = await tryIo(() => createStateDirectory(stateDir));
  if (!directory.ok) return err(stateUnwritable(stateDir, directory.error));
  const written = await writeFileDurably(target, bytes);
  return written.ok ? ok(undefined) : err(stateUnwritable(target, written.error));
}

/**
 * Takes the database over where there is none: it remembers runs whose journals are gone. Gives why it was refused; nothing where it was taken,
 * or there is one already, or none came. Fails with `state-unwritable`.
 */
export async function adoptDatabase(from: string, stateDir: string): Promise<Result<string | undefined>> {
  const source = databaseFile(from);
  const found = await tryIo(() => lstat(source));
  if (!found.ok) return ok(undefined);
  if (!found.value.isFile()) return ok("the database was refused: it is no regular file");
  const target = databaseFile(stateDir);
  if ((await tryIo(() => lstat(target))).ok) return ok(undefined);
  const opened = await openDatabase(source);
  if (!opened.ok)
    return ok(`the database was refused: ${"detail" in opened.error ? opened.error.detail : describeFailure(opened.error).title}`);
  opened.value.db.close();
  if (opened.value.damaged) return ok("the database was refused: its bytes are not those that were saved");
  const directory = await tryIo(() => createStateDirectory(stateDir));
  if (!directory.ok) return err(stateUnwritable(stateDir, directory.error));
  const whole = await tryIo(() => readFile(source));
  if (!whole.ok) return ok(`the database was refused: ${whole.error.detail} (${whole.error.code})`);
  const written = await writeFileDurably(target, whole.value);
  return written.ok ? ok(undefined) : err(stateUnwritable(target, written.error));
}

async function names(directory: string, pattern: RegExp): Promise<readonly string[]> {
  const listed = await tryIo(() => readdir(directory));
  return listed.ok ? listed.value.filter((name) => pattern.test(name)).sort() : [];
}
