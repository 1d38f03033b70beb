/** Compares the sizes of the journals on disk with how far they were read before. Does not read their content. */
import { type Dirent, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError, stateUnreadable } from "../platform/files.ts";
import { cutDetail, journalFile, journalsDirectory } from "./read-journal.ts";
import type { Watermark } from "./watermark.ts";

export interface JournalScan {
  /** Runs whose journals have more lines than the tables. */
  readonly grown: readonly string[];
  /** Runs in the tables whose `archived` differs from the disk. */
  readonly archive: readonly { readonly run: string; readonly archived: boolean }[];
}

/**
 * Scans all journals. `archived`: run → whether its journals were gone before. The calls are synchronous, because
 * thousands of small ones are several times faster that way. Fails with `state-damaged` if a journal became shorter or
 * one of several is gone, and with `state-unreadable`.
 */
export function scanJournals(
  stateDir: string,
  archived: ReadonlyMap<string, boolean>,
  marks: ReadonlyMap<string, readonly Watermark[]>,
): Result<JournalScan> {
  const directory = journalsDirectory(stateDir);
  const runs = list(directory);
  if (!runs.ok) return runs;
  const grown: string[] = [];
  const present = new Set<string>();
  for (const entry of runs.value.filter((one) => one.isDirectory())) {
    const writers = writersIn(path.join(directory, entry.name));
    if (!writers.ok) return writers;
    if (writers.value.length === 0) continue;
    const moved = hasGrown(stateDir, entry.name, writers.value, marks.get(entry.name) ?? []);
    // A cleanup removes all journals of a run at once.
    const gone = !moved.ok && isGone(path.join(directory, entry.name));
    if (gone) continue;
    if (!moved.ok) return moved;
    present.add(entry.name);
    if (moved.value) grown.push(entry.name);
  }
  const archive = [...archived].map(([run, was]) => ({ run, was, archived: !present.has(run) })).filter((one) => one.was !== one.archived);
  return ok({ grown: grown.sort(), archive });
}

function writersIn(directory: string): Result<readonly string[]> {
  const files = list(directory);
  if (!files.ok) return files;
  const journals = files.value.filter((one) => one.isFile() && one.name.endsWith(".jsonl"));
  return ok(journals.map((one) => one.name.slice(0, -".jsonl".length)));
}

function isGone(directory: string): boolean {
  const writers = writersIn(directory);
  return writers.ok && writers.value.length === 0;
}

function hasGrown(stateDir: string, run: string, writers: readonly string[], marks: readonly Watermark[]): Result<boolean> {
  const gone = marks.find((mark) => !writers.includes(mark.writer));
  if (gone !== undefined)
    return err({ reason: "state-damaged", path: journalFile(stateDir, run, gone.writer), detail: "the journal is gone" });
  let grown = false;
  for (const writer of writers) {
    const file = journalFile(stateDir, run, writer);
    const size = sizeOf(file);
    if (!size.ok) return size;
    const mark = marks.find((one) => one.writer === writer);
    if (mark !== undefined && size.value < mark.bytes) return err({ reason: "state-damaged", path: file, detail: cutDetail(mark) });
    grown ||= mark === undefined || size.value !== mark.size;
  }
  return ok(grown);
}

function sizeOf(file: string): Result<number> {
  try {
    return ok(statSync(file).size);
  } catch (error) {
    return err(stateUnreadable(file, describeIoError(error)));
  }
}

function list(directory: string): Result<readonly Dirent[]> {
  try {
    return ok(readdirSync(directory, { withFileTypes: true }));
  } catch (error) {
    const problem = describeIoError(error);
    return problem.code === "ENOENT" ? ok([]) : err(stateUnreadable(directory, problem));
  }
}
