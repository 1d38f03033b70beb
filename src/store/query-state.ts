/** The questions that need the tables. Imported lazily, with SQLite. */
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

/** What breakers know of the runs that this process writes, which are ahead of the tables. */
export interface OwnSamples {
  readonly runs: ReadonlySet<string>;
  readonly samples: readonly InRun<SampleFold>[];
  readonly resets: readonly InRun<ResetFold>[];
}

/** `StateStore`'s queries over all runs. They fail with `state-damaged`, `state-unreadable`, `state-locked`. */
export interface Queries {
  listRuns(filter: SummaryFilter): Promise<Result<readonly RunSummary[]>>;
  /** The same, and saves the run index for the next list. */
  recentRuns(filter: SummaryFilter): Promise<Result<readonly RunSummary[]>>;
  /** Every run, archived ones too, the earliest first. */
  allRuns(): Promise<Result<readonly RunRecord[]>>;
  /** A run whose id begins so, whether or not its journal is still there; nothing if there is none or several. */
  findRun(prefix: string): Promise<Result<RunRecord | undefined>>;
  passedWork(pipeline: string): Promise<Result<readonly CachedResult[]>>;
  runsEndingAt(pipeline: string, tree: Digest): Promise<Result<readonly RunRecord[]>>;
  /** Without the runs of `except`. */
  breakerWindow(breaker: string, size: number, own: OwnSamples, except: ReadonlySet<string>): Promise<Result<readonly BreakerSample[]>>;
}

/** How many of the runs that ended at a tree are given. The newest decides; more are for telling. */
const endingLimit = 20;

/** Other processes' verdicts may be this old, in milliseconds, when a breaker is asked before each attempt. */
const breakerAgeMs = 500;

/** Opens nothing before the first question. */
export function openQueries(request: ProjectionRequest): Queries {
  const projection = openProjection(request);
  const ask = async <T>(question: (db: Database) => T): Promise<Result<T>> => {
    const current = await projection.current();
    return current.ok ? ok(question(current.value)) : current;
  };
  const settled = (summaries: readonly SummaryFold[]) => summaries.map((summary) => resolveSummary(summary, request.isAlive));
  return {
    listRuns: (filter) => ask((db) => settled(listSummaries(db, filter))),
    async recentRuns(filter) {
      const current = await projection.current();
      if (!current.ok) return current;
      const summaries = await withVanishedRuns(request.stateDir, listSummaries(current.value));
      const database = projection.stamp();
      if (database !== undefined)
        await saveIndex(request.stateDir, { database, summaries, marks: Object.fromEntries(watermarksOf(current.value)) });
      return ok(settled(selectSummaries(summaries, filter)));
    },
    allRuns: () => ask((db) => loadRecords(db, "1 ORDER BY started_at, run", [], request.isAlive)),
    findRun: (prefix) => ask((db) => findByPrefix(db, prefix, request.isAlive)),
    passedWork: (pipeline) => ask((db) => passedWork(db, pipeline)),
    runsEndingAt: (pipeline, tree) =>
      ask((db) => {
        const where = `pipeline = ? AND tree_after = ? AND archived <> ${cleanedAway} ORDER BY finished_at DESC, run DESC LIMIT ?`;
        return loadRecords(db, where, [pipeline, tree, endingLimit], request.isAlive);
      }),
    async breakerWindow(breaker, size, own, except) {
      const current = await projection.current({ except: own.runs, withinMs: breakerAgeMs });
      return current.ok ? ok(breakerWindow(current.value, breaker, size, own, except)) : current;
    },
  };
}

/** Adds the runs that only the run index knows: their journals went before a database had read them. */
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
  const found = loadRecords(db, "substr(run, 1, length(?1)) = ?1 LIMIT 2", [prefix], isAlive);
  return found.length === 1 ? found[0] : undefined;
}

/** Newest first. */
function passedWork(db: Database, pipeline: string): readonly CachedResult[] {
  const revoked = new Set(rowsOf(db, "SELECT of_run, step, attempt FROM revoked_work").map((row) => JSON.stringify(Object.values(row))));
  const results = loadFolds(db, `pipeline = ? AND archived <> ${cleanedAway} ORDER BY run DESC`, [pipeline])
    .flatMap(({ fold }) => resultsOf(fold))
    .filter(({ run, step, attempt }) => !revoked.has(JSON.stringify([run, step, attempt])));
  return results.sort((a, b) => (a.finishedAt < b.finishedAt ? 1 : a.finishedAt > b.finishedAt ? -1 : 0));
}

/** The results of the attempts that passed. Whether the project changed under isolated attempts is known only after the run finished. */
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
