/**
 * The run index: one small file to list runs from without the database, whose engine loads slowly. It contains a
 * summary of each run and how far its journals were read. It is valid only for the database that it was saved with and
 * the journal sizes that it states; runs with longer journals are read again. In any doubt, the database is used.
 */

import path from "node:path";
import { defined } from "../core/defined.ts";
import { digestOfBytes } from "../core/digest.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunSummary } from "../core/state.ts";
import { readRegularFile, tryIo, writeFileDurably } from "../platform/files.ts";
import { databaseFile, stampOf } from "./database-place.ts";
import { foldRun } from "./fold-run.ts";
import type { Liveness } from "./project-run.ts";
import { mergeEvents, readRun } from "./read-journal.ts";
import { scanJournals } from "./scan-journals.ts";
import { resolveSummary, type SummaryFilter, type SummaryFold, selectSummaries, summaryOf } from "./summary-fold.ts";
import { isWritten, rewrittenJournal, type Watermark, watermarkOf } from "./watermark.ts";

/** The content of the file. */
export interface RunIndex {
  /** The database's stamp; undefined if there was none. */
  readonly database?: string;
  readonly summaries: readonly SummaryFold[];
  /** By run. A run that never started has marks and no summary. */
  readonly marks: Readonly<Record<string, readonly Watermark[]>>;
}

export interface IndexRequest {
  readonly stateDir: string;
  readonly isAlive: Liveness;
}

const version = 2;

/**
 * Lists runs, newest first. Undefined if only the database can answer. Fails with `state-damaged` and
 * `state-unreadable` if journals differ from what the index recorded, and as reading journals does.
 */
export async function listFromIndex(request: IndexRequest, filter: SummaryFilter): Promise<Result<readonly RunSummary[]> | undefined> {
  const index = await currentIndex(request);
  if (index === undefined || !index.ok) return index;
  return ok(selectSummaries(index.value.summaries, filter).map((summary) => resolveSummary(summary, request.isAlive)));
}

/** The index, up to date with the journals. Saves it if it read a run that no process writes any more. */
async function currentIndex({ stateDir, isAlive }: IndexRequest): Promise<Result<RunIndex> | undefined> {
  const database = await stampOf(databaseFile(stateDir));
  // Without a database, every run still has its journals.
  const index = (await readIndex(stateDir)) ?? (database === undefined ? { summaries: [], marks: {} } : undefined);
  if (index === undefined || index.database !== database) return undefined;
  const archived = new Map(index.summaries.map((summary) => [summary.id, summary.archived]));
  const marks = new Map(Object.entries(index.marks));
  const scan = scanJournals(stateDir, archived, marks);
  if (!scan.ok) return scan;
  if (scan.value.archive.length > 0) return undefined;
  if (scan.value.grown.length === 0) return ok(index);
  const summaries = new Map(index.summaries.map((summary) => [summary.id, summary]));
  let settled = false;
  for (const run of scan.value.grown) {
    const read = await readRun(stateDir, run);
    if (!read.ok) return read;
    if (read.value.length === 0) return undefined;
    const rewritten = rewrittenJournal(read.value, marks.get(run) ?? []);
    if (rewritten !== undefined) return err(rewritten);
    const fold = foldRun(mergeEvents(read.value));
    if (fold === undefined) summaries.delete(run);
    else summaries.set(run, summaryOf(fold));
    marks.set(run, read.value.map(watermarkOf)); // biome-ignore format: one thought
    settled ||= !isWritten(read.value, isAlive);
  }
  const next = { ...defined({ database }), summaries: [...summaries.values()], marks: Object.fromEntries(marks) };
  if (settled) await saveIndex(stateDir, next);
  return ok(next);
}

/**
 * Replaces the file. If it cannot be written, the next list takes longer. Needs no lock: each writer's index is
 * complete and verified when it is read.
 */
export async function saveIndex(stateDir: string, index: RunIndex): Promise<void> {
  const content = JSON.stringify({ v: version, ...index });
  await writeFileDurably(indexFile(stateDir), Buffer.from(sealed(content)), 0o600);
}

/** Undefined if there is no index or its digest does not match. */
export async function readIndex(stateDir: string): Promise<RunIndex | undefined> {
  const read = await tryIo(() => readRegularFile(indexFile(stateDir)));
  const text = read.ok ? Buffer.from(read.value ?? "").toString() : "";
  const content = text.slice(0, Math.max(0, text.indexOf("\n")));
  if (text !== sealed(content)) return undefined;
  const { v, ...index } = JSON.parse(content) as RunIndex & { readonly v: number };
  return v === version ? index : undefined;
}

/** The content with a second line, its digest. */
function sealed(content: string): string {
  return `${content}\n${digestOfBytes(content)}\n`;
}

function indexFile(stateDir: string): string {
  return path.join(stateDir, "run-index.json");
}
