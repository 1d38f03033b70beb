/** The queries that need the tables. Imported lazily, with SQLite. */
import type { BindParams, Database } from "sql.js";
import { defined } from "../core/defined.ts";
import type { Digest } from "../core/digest.ts";
import { ok, type Result } from "../core/result.ts";
import type { BreakerSample, CachedResult, RunRecord, RunSummary } from "../core/state.ts";
import { type InRun, windowOf } from "./breaker-samples.ts";
import { listSummaries } from "./list-summaries.ts";
import { type Liveness, resolveStatus } from "./project-run.ts";
import { openProjection, type ProjectionRequest } from "./projection.ts";
import type { ResetFold, RunFold, SampleFold } from "./run-fold.ts";
import { readIndex, saveIndex } from "./run-index.ts";
import { loadFolds, watermarksOf } from "./run-rows.ts";
import { cleanedAway } from "./schema.ts";
import { numberOf, rowsOf, textOf } from "./sql-engine.ts";
import { resolveSummary, type SummaryFilter, type SummaryFold, selectSummaries } from "./summary-fold.ts";

/** Breaker samples of the runs that this process writes; they are newer than the tables. */
export interface OwnSamples {
  readonly runs: ReadonlySet<string>;
  readonly samples: readonly InRun<SampleFold>[];
  readonly resets: readonly InRun<ResetFold>[];
}

/** `StateStore`'s queries over all runs. They fail with `state-damaged`, `state-unreadable`, `state-locked`. */
export interface Queries {
  listRuns(filter: SummaryFilter): Promise<Result<readonly RunSummary[]>>;
  /** Like `listRuns`; also saves the run index for the next list. */
  recentRuns(filter: SummaryFilter): Promise<Result<readonly RunSummary[]>>;
  /** Every run, including archived ones, the earliest first. */
  allRuns(): Promise<Result<readonly RunRecord[]>>;
  /** The run whose id begins with the prefix, archived or not; undefined if none or several match. */
  findRun(prefix: string): Promise<Result<RunRecord | undefined>>;
  cachedResults(pipeline: string): Promise<Result<readonly CachedResult[]>>;
  runsEndingAt(pipeline: string, tree: Digest): Promise<Result<readonly RunRecord[]>>;
  /** Excludes the runs in `except`. */
  breakerWindow(breaker: string, size: number, own: OwnSamples, except: ReadonlySet<string>): Promise<Result<readonly BreakerSample[]>>;
}

/** Maximum number of runs that ended at a tree. The newest one decides; the others are only listed. */
const endingLimit = 20;

/** Maximum age of other processes' verdicts, in milliseconds: breakers are queried before each attempt. */
const breakerAgeMs = 500;

/** Opens nothing before the first query. */
export function openQueries(request: ProjectionRequest): Queries {
  const projection = openProjection(request);
  const query = async <T>(read: (db: Database) => T): Promise<Result<T>> => {
    const current = await projection.current();
    return current.ok ? ok(read(current.value)) : current;
  };
  const resolveAll = (summaries: readonly SummaryFold[]) => summaries.map((summary) => resolveSummary(summary, request.isAlive));
  return {
    listRuns: (filter) => query((db) => resolveAll(listSummaries(db, filter))),
    async recentRuns(filter) {
      const current = await projection.current();
      if (!current.ok) return current;
      const summaries = await withVanishedRuns(request.stateDir, listSummaries(current.value));
      const database = projection.stamp();
      if (database !== undefined)
        await saveIndex(request.stateDir, { database, summaries, marks: Object.fromEntries(watermarksOf(current.value)) });
      return ok(resolveAll(selectSummaries(summaries, filter)));
    },
    allRuns: () => query((db) => loadRecords(db, "1 ORDER BY started_at, run", [], request.isAlive)),
    findRun: (prefix) => query((db) => findByPrefix(db, prefix, request.isAlive)),
    cachedResults: (pipeline) => query((db) => resultsOfPipeline(db, pipeline)),
    runsEndingAt: (pipeline, tree) =>
      query((db) => {
        const where = `pipeline = ? AND tree_after = ? AND archived <> ${cleanedAway} ORDER BY finished_at DESC, run DESC LIMIT ?`;
        return loadRecords(db, where, [pipeline, tree, endingLimit], request.isAlive);
      }),
    async breakerWindow(breaker, size, own, except) {
      const current = await projection.current({ except: own.runs, withinMs: breakerAgeMs });
      return current.ok ? ok(breakerWindow(current.value, breaker, size, own, except)) : current;
    },
  };
}

/** Adds the runs that only the run index has: their journals were removed before a database had read them. */
async function withVanishedRuns(stateDir: string, summaries: readonly SummaryFold[]): Promise<readonly SummaryFold[]> {
  const known = new Set(summaries.map(({ id }) => id));
  const vanished = (await readIndex(stateDir))?.summaries.filter(({ id }) => !known.has(id)) ?? [];
  return [...summaries, ...vanished.map((summary) => ({ ...summary, archived: true }))];
}

function loadRecords(db: Database, where: string, params: BindParams, isAlive: Liveness): readonly RunRecord[] {
  return loadFolds(db, where, params).map(({ fold, archived }) => ({
    ...resolveStatus(fold, isAlive),
    ...(archived === 0 ? {} : { archived: true as const }),
  }));
}

function findByPrefix(db: Database, prefix: string, isAlive: Liveness): RunRecord | undefined {
  const [exact] = loadRecords(db, "run = ?", [prefix], isAlive);
  if (exact !== undefined || prefix === "") return exact;
  const candidates = loadRecords(db, "substr(run, 1, length(?1)) = ?1 LIMIT 2", [prefix], isAlive);
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Newest first. */
function resultsOfPipeline(db: Database, pipeline: string): readonly CachedResult[] {
  const revoked = new Set(rowsOf(db, "SELECT of_run, step, attempt FROM revoked_work").map((row) => JSON.stringify(Object.values(row))));
  const results = loadFolds(db, `pipeline = ? AND archived <> ${cleanedAway} ORDER BY run DESC`, [pipeline])
    .flatMap(({ fold }) => resultsOf(fold))
    .filter(({ run, step, attempt }) => !revoked.has(JSON.stringify([run, step, attempt])));
  return results.sort((a, b) => (a.finishedAt < b.finishedAt ? 1 : a.finishedAt > b.finishedAt ? -1 : 0));
}

/**
 * The results of passed attempts. Whether the project changed under isolated attempts is known only after the run
 * finished.
 */
function resultsOf({ id: run, base, treeAfter, finishedAt, steps }: RunFold): readonly CachedResult[] {
  return steps.flatMap(({ id: step, winner, attempts }): readonly CachedResult[] => {
    const passed = winner === undefined ? undefined : attempts[winner];
    if (passed === undefined || (passed.workspace === "isolated" && finishedAt === undefined)) return [];
    const { attempt, fingerprint, artifacts, changes, workspace } = passed;
    const ref = { run, step, attempt, fingerprint, artifacts, finishedAt: passed.finishedAt ?? "", workspace, treeBefore: base.tree };
    return [{ ...ref, ...defined({ changes, treeAfter }) }];
  });
}

function breakerWindow(
  db: Database,
  breaker: string,
  size: number,
  own: OwnSamples,
  except: ReadonlySet<string>,
): readonly BreakerSample[] {
  const stored = rowsOf(db, "SELECT * FROM breaker_samples WHERE breaker = ? ORDER BY at DESC", [breaker])
    .map((row) => ({ breaker, run: textOf(row, "run"), at: textOf(row, "at"), clock: numberOf(row, "clock"), failed: row["failed"] }))
    .filter(({ run }) => !own.runs.has(run) && !except.has(run));
  const samples = stored.filter(({ failed }) => failed !== null).map((sample) => ({ ...sample, failed: sample.failed === 1 }));
  const ownSamples = own.samples.filter((sample) => sample.breaker === breaker);
  const resets = [...stored.filter(({ failed }) => failed === null), ...own.resets.filter((reset) => reset.breaker === breaker)];
  return windowOf([...samples, ...ownSamples], resets, size);
}
