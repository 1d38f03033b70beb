/** The questions that need the tables. Imported lazily, with SQLite. */
import type { BindParams, Database } from "sql.js";
import type { Digest } from "../core/digest.ts";
import { ok, type Result } from "../core/result.ts";
import type { BreakerSample, CachedResult, RunRecord, RunSummary } from "../core/state.ts";
import { type InRun, windowOf } from "./breaker-samples.ts";
import { listSummaries } from "./list-summaries.ts";
import { type Liveness, resolveStatus } from "./project-run.ts";
import { openProjection, type ProjectionRequest } from "./projection.ts";
import { artifactOf, changesOf, fingerprintOf, loadFold, watermarksOf } from "./read-rows.ts";
import type { ResetFold, SampleFold } from "./run-fold.ts";
import { readIndex, saveIndex } from "./run-index.ts";
import { cleanedAway } from "./schema.ts";
import { numberOf, optional, rowsOf, textOf } from "./sql-engine.ts";
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
    allRuns: () => ask((db) => loadRecords(db, "SELECT run, archived FROM runs ORDER BY started_at, run", [], request.isAlive)),
    findRun: (prefix) => ask((db) => findByPrefix(db, prefix, request.isAlive)),
    passedWork: (pipeline) => ask((db) => passedWork(db, pipeline)),
    runsEndingAt: (pipeline, tree) =>
      ask((db) => {
        const sql = `SELECT run, archived FROM runs WHERE pipeline = ? AND tree_after = ? AND archived <> ${cleanedAway} ORDER BY finished_at DESC, run DESC LIMIT ?`;
        return loadRecords(db, sql, [pipeline, tree, endingLimit], request.isAlive);
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

/** `sql` gives `run` and `archived`. */
function loadRecords(db: Database, sql: string, params: BindParams, isAlive: Liveness): readonly RunRecord[] {
  return rowsOf(db, sql, params).flatMap((row) => {
    const fold = loadFold(db, textOf(row, "run"));
    return fold === undefined ? [] : [{ ...resolveStatus(fold, isAlive), ...(row["archived"] === 0 ? {} : { archived: true as const }) }];
  });
}

function findByPrefix(db: Database, prefix: string, isAlive: Liveness): RunRecord | undefined {
  const [exact] = loadRecords(db, "SELECT run, archived FROM runs WHERE run = ?", [prefix], isAlive);
  if (exact !== undefined || prefix === "") return exact;
  const found = loadRecords(db, "SELECT run, archived FROM runs WHERE substr(run, 1, length(?1)) = ?1 LIMIT 2", [prefix], isAlive);
  return found.length === 1 ? found[0] : undefined;
}

function passedWork(db: Database, pipeline: string): readonly CachedResult[] {
  const artifacts = new Map<string, ReturnType<typeof artifactOf>[]>();
  const winners = `FROM runs JOIN steps USING (run) JOIN attempts ON attempts.run = runs.run AND attempts.step = steps.position AND attempts.position = steps.winner`;
  const owned = `SELECT artifacts.* ${winners} JOIN artifacts ON artifacts.run = runs.run AND artifacts.step = steps.position AND artifacts.attempt = steps.winner
    WHERE pipeline = ? AND archived <> ${cleanedAway} ORDER BY artifacts.run, artifacts.step, artifacts.position`;
  for (const row of rowsOf(db, owned, [pipeline])) {
    const key = `${row["run"]} ${row["step"]}`;
    artifacts.set(key, [...(artifacts.get(key) ?? []), artifactOf(row)]);
  }
  const notRevoked = `NOT EXISTS (SELECT 1 FROM revoked_work AS gone WHERE gone.of_run = runs.run AND gone.step = steps.step AND gone.attempt = attempts.attempt)`;
  // Whether the project changed under attempts in workspaces of their own is known once their run has ended.
  const ended = "(attempts.workspace <> 'isolated' OR runs.finished_at IS NOT NULL)";
  const sql = `SELECT runs.run, steps.step AS id, steps.position, attempt, attempts.work, attempts.gate, attempts.parts, attempts.changes, attempts.workspace, attempts.finished_at, tree_before, tree_after
    ${winners} WHERE pipeline = ? AND archived <> ${cleanedAway} AND ${notRevoked} AND ${ended} ORDER BY attempts.finished_at DESC, runs.run DESC, steps.position`;
  return rowsOf(db, sql, [pipeline]).map((row) => ({
    run: textOf(row, "run"),
    step: textOf(row, "id"),
    attempt: numberOf(row, "attempt"),
    fingerprint: fingerprintOf(row),
    artifacts: artifacts.get(`${row["run"]} ${row["position"]}`) ?? [],
    finishedAt: textOf(row, "finished_at"),
    ...changesOf(row),
    workspace: row["workspace"] === "isolated" ? "isolated" : "shared",
    treeBefore: textOf(row, "tree_before") as Digest,
    ...optional("treeAfter", row["tree_after"], (value) => String(value) as Digest),
  }));
}

function breakerWindow(
  db: Database,
  breaker: string,
  size: number,
  own: OwnSamples,
  except: ReadonlySet<string>,
): readonly BreakerSample[] {
  const counts = (run: string) => !own.runs.has(run) && !except.has(run);
  const known = (table: string) =>
    rowsOf(db, `SELECT * FROM ${table} WHERE breaker = ? ORDER BY at DESC`, [breaker]).filter((row) => counts(textOf(row, "run")));
  const point = (row: ReturnType<typeof known>[number]) => ({
    breaker,
    run: textOf(row, "run"),
    at: textOf(row, "at"),
    clock: numberOf(row, "clock"),
  });
  const samples = known("breaker_samples").map((row) => ({ ...point(row), failed: row["failed"] === 1 }));
  const ownSamples = own.samples.filter((sample) => sample.breaker === breaker);
  const resets = [...known("breaker_resets").map(point), ...own.resets.filter((reset) => reset.breaker === breaker)];
  return windowOf([...samples, ...ownSamples], resets, size);
}
