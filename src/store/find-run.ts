/** Finds the run that a selector names. Loads the tables only if the journals cannot answer. */
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord, RunSummary } from "../core/state.ts";
import { listJournalRuns, listWriters } from "./read-journal.ts";

export interface RunSearch {
  readonly stateDir: string;
  /** The record of a run, from its journals; undefined if it never started. */
  readonly project: (run: string) => Promise<Result<RunRecord | undefined>>;
  /** From the tables. */
  readonly listRuns: (filter: { readonly pipeline?: string; readonly limit?: number }) => Promise<Result<readonly RunSummary[]>>;
  readonly findInTables: (prefix: string) => Promise<Result<RunRecord | undefined>>;
}

/** How many runs a failure names as candidates. */
const candidateLimit = 5;

/**
 * Tries an id, `latest`, a unique prefix, and a pipeline's name, in this order. Fails with `run-not-found`, and as
 * reading state does.
 */
export async function findRun(search: RunSearch, selector: string): Promise<Result<RunRecord>> {
  const runs = await listJournalRuns(search.stateDir);
  if (!runs.ok) return runs;
  const fromJournals = await findInJournals(search, selector, runs.value);
  if (!fromJournals.ok) return fromJournals;
  if (fromJournals.value !== undefined) return ok(fromJournals.value);
  const fromTables = await findInTables(search, selector);
  if (!fromTables.ok) return fromTables;
  if (fromTables.value !== undefined) return ok(fromTables.value);
  const similar = selector === "" ? [] : runs.value.filter((run) => run.startsWith(selector));
  const newest = await search.listRuns({ limit: candidateLimit });
  if (!newest.ok) return newest;
  const candidates = similar.length > 0 ? similar.slice(0, candidateLimit) : newest.value.map((run) => run.id);
  return err({ reason: "run-not-found", selector, candidates });
}

async function findInJournals(search: RunSearch, selector: string, runs: readonly string[]): Promise<Result<RunRecord | undefined>> {
  if (runs.includes(selector)) return search.project(selector);
  if (selector === "latest") return latest(search, runs);
  const matching = selector === "" ? [] : runs.filter((run) => run.startsWith(selector));
  const [only] = matching;
  return only === undefined || matching.length > 1 ? ok(undefined) : search.project(only);
}

async function findInTables(search: RunSearch, selector: string): Promise<Result<RunRecord | undefined>> {
  const byId = await search.findInTables(selector);
  if (!byId.ok || byId.value !== undefined) return byId;
  const listed = await search.listRuns(selector === "latest" ? { limit: 1 } : { pipeline: selector, limit: 1 });
  if (!listed.ok) return listed;
  const [newest] = listed.value;
  return newest === undefined ? ok(undefined) : search.findInTables(newest.id);
}

/** The run that started last. A writer's name begins with its time of creation, so no journal has to be opened. */
async function latest(search: RunSearch, runs: readonly string[]): Promise<Result<RunRecord | undefined>> {
  const listed = await Promise.all(runs.map((run) => listWriters(search.stateDir, run)));
  const firsts: { run: string; writer: string }[] = [];
  for (const [index, writers] of listed.entries()) {
    if (!writers.ok) return writers;
    const [run, writer] = [runs[index], writers.value[0]];
    if (run !== undefined && writer !== undefined) firsts.push({ run, writer });
  }
  firsts.sort((a, b) => (a.writer < b.writer ? 1 : -1));
  for (const { run } of firsts) {
    const record = await search.project(run);
    if (!record.ok || record.value !== undefined) return record;
  }
  return ok(undefined);
}
