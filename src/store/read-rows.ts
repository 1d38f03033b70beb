/** Brings runs' folds back from the tables, as they were laid in. */

import type { Database, SqlValue } from "sql.js";
import type { AlertRecord } from "../core/alert.ts";
import { defined } from "../core/defined.ts";
import type { Digest } from "../core/digest.ts";
import type { ArtifactRef, ChangesRef, FingerprintRef } from "../core/event.ts";
import type { ContractResult, Failure, Violation } from "../core/failure.ts";
import type { Usage } from "../core/usage.ts";
import type { AttemptFold, RunFold, StepFold, WriterFold } from "./run-fold.ts";
import { numberOf, optional, type Row, rowsOf, textOf } from "./sql-engine.ts";
import type { Watermark } from "./watermark.ts";

/** What wave itself laid in as JSON comes back as what it was. */
const fromJson = <T>(value: SqlValue): T => JSON.parse(String(value)) as T;
const digest = (value: SqlValue) => String(value) as Digest;

/** A run's fold; nothing if the tables do not hold it. */
export function loadFold(db: Database, run: string): RunFold | undefined {
  const [row] = rowsOf(db, "SELECT * FROM runs WHERE run = ?", [run]);
  if (row === undefined) return undefined;
  return {
    id: run,
    pipeline: textOf(row, "pipeline"),
    ...optional("version", row["version"], String),
    ...optional("outcome", row["outcome"], (value) => String(value) as NonNullable<RunFold["outcome"]>),
    startedAt: textOf(row, "started_at"),
    ...optional("finishedAt", row["finished_at"], String),
    manifest: digest(row["manifest"] ?? ""),
    options: fromJson(row["options"] ?? ""),
    base: fromJson(row["base"] ?? ""),
    ...optional("treeAfter", row["tree_after"], digest),
    ...optional("failure", row["failure"], fromJson<Failure>),
    ...changesOf(row),
    applied: row["applied"] === 1,
    ...optional("inProject", row["in_project"], fromJson<ChangesRef>),
    ...optional("openRollback", row["open_rollback"], (to) => (to === "" ? {} : { to: String(to) })),
    ...loadAlerts(db, run),
    writers: loadWriters(db, run),
    steps: loadSteps(db, run),
    samples: rowsOf(db, "SELECT * FROM breaker_samples WHERE run = ? ORDER BY position", [run]).map((one) => ({
      ...breakerPoint(one),
      failed: one["failed"] === 1,
    })),
    resets: rowsOf(db, "SELECT * FROM breaker_resets WHERE run = ? ORDER BY position", [run]).map(breakerPoint),
    revoked: rowsOf(db, "SELECT * FROM revoked_work WHERE run = ? ORDER BY position", [run]).map((one) => ({
      step: textOf(one, "step"),
      run: textOf(one, "of_run"),
      attempt: numberOf(one, "attempt"),
    })),
  };
}

function loadAlerts(db: Database, run: string): { alerts?: readonly AlertRecord[] } {
  const alerts = rowsOf(db, "SELECT * FROM alerts WHERE run = ? ORDER BY position", [run]).map((row) => ({
    alert: textOf(row, "alert"),
    reason: textOf(row, "reason") as AlertRecord["reason"],
    subject: textOf(row, "subject"),
    outcome: textOf(row, "outcome") as AlertRecord["outcome"],
    at: textOf(row, "at"),
    ...optional("because", row["because"], String),
  }));
  return alerts.length === 0 ? {} : { alerts };
}

/** The processes that wrote a run, as they opened its journals. */
export function loadWriters(db: Database, run: string): readonly WriterFold[] {
  return rowsOf(db, "SELECT * FROM writers WHERE run = ? AND position IS NOT NULL ORDER BY position", [run]).map((row) => ({
    writer: textOf(row, "writer"),
    pid: numberOf(row, "pid"),
    processStart: textOf(row, "process_start"),
    host: textOf(row, "host"),
    closed: row["closed"] === 1,
    spentMs: numberOf(row, "spent_ms"),
  }));
}

/** How far each run's journals were read, by run. */
export function watermarksOf(db: Database): ReadonlyMap<string, readonly Watermark[]> {
  const rows = rowsOf(db, "SELECT run, writer, size, bytes, seq, head, closed FROM writers");
  const marks = [...grouped(rows, (row) => textOf(row, "run"))].map(([run, own]) => [run, own.map(watermarkAt)] as const);
  return new Map(marks);
}

function watermarkAt(row: Row): Watermark {
  return {
    writer: textOf(row, "writer"),
    size: numberOf(row, "size"),
    bytes: numberOf(row, "bytes"),
    seq: numberOf(row, "seq"),
    head: textOf(row, "head"),
    closed: row["closed"] === 1,
  };
}

/** Every run in the tables, and whether its journals are gone. */
export function archivedRuns(db: Database): ReadonlyMap<string, boolean> {
  return new Map(rowsOf(db, "SELECT run, archived FROM runs").map((row) => [textOf(row, "run"), row["archived"] !== 0]));
}

/** A fingerprint that stands in the columns `work`, `gate` and `parts`. */
export function fingerprintOf(row: Row): FingerprintRef {
  return { work: digest(row["work"] ?? ""), gate: digest(row["gate"] ?? ""), parts: fromJson(row["parts"] ?? "{}") };
}

/** A changeset that stands in the column `changes`. */
export function changesOf(row: Row): { changes?: ChangesRef } {
  return optional("changes", row["changes"], fromJson<ChangesRef>);
}

/** An artifact's row. */
export function artifactOf(row: Row): ArtifactRef {
  return {
    name: textOf(row, "name"),
    digest: digest(row["digest"] ?? ""),
    size: numberOf(row, "size"),
    mediaType: textOf(row, "media_type"),
    source: textOf(row, "source"),
  };
}

function breakerPoint(row: Row): { breaker: string; at: string; clock: number } {
  return { breaker: textOf(row, "breaker"), at: textOf(row, "at"), clock: numberOf(row, "clock") };
}

function loadSteps(db: Database, run: string): readonly StepFold[] {
  const artifacts = grouped(
    rowsOf(db, "SELECT * FROM artifacts WHERE run = ? ORDER BY step, attempt, position", [run]),
    (row) => `${row["step"]}.${row["attempt"]}`,
  );
  const contracts = loadContracts(db, run);
  const attempts = grouped(rowsOf(db, "SELECT * FROM attempts WHERE run = ? ORDER BY step, position", [run]), (row) => String(row["step"]));
  return rowsOf(db, "SELECT * FROM steps WHERE run = ? ORDER BY position", [run]).map((row) => {
    const position = textOf(row, "position");
    const own = (attempts.get(position) ?? []).map((one): AttemptFold => {
      const key = `${position}.${one["position"]}`;
      return attemptOf(one, (artifacts.get(key) ?? []).map(artifactOf), contracts.get(key) ?? []);
    });
    return stepOf(row, own, (artifacts.get(`${position}.-1`) ?? []).map(artifactOf));
  });
}

function stepOf(row: Row, attempts: readonly AttemptFold[], reused: readonly ArtifactRef[]): StepFold {
  const winner = row["winner"] === null ? undefined : attempts[numberOf(row, "winner")];
  const fingerprint = winner?.fingerprint ?? (row["work"] === null ? undefined : fingerprintOf(row));
  return {
    id: textOf(row, "step"),
    persona: textOf(row, "persona"),
    dependencies: fromJson(row["dependencies"] ?? "[]"),
    optional: row["optional"] === 1,
    status: textOf(row, "status") as StepFold["status"],
    ...optional("writer", row["writer"], String),
    ...optional("winner", row["winner"], Number),
    ...(row["reused_run"] === null ? {} : { reusedFrom: { run: textOf(row, "reused_run"), attempt: numberOf(row, "reused_attempt") } }),
    ...defined({ fingerprint }),
    artifacts: winner?.artifacts ?? reused,
    ...(winner === undefined ? changesOf(row) : winner.changes === undefined ? {} : { changes: winner.changes }),
    ...optional("failure", row["failure"], fromJson<Failure>),
    ...optional("because", row["because"], String),
    attempts,
  };
}

function attemptOf(row: Row, artifacts: readonly ArtifactRef[], contracts: readonly ContractResult[]): AttemptFold {
  return {
    attempt: numberOf(row, "attempt"),
    writer: textOf(row, "writer"),
    status: textOf(row, "status") as AttemptFold["status"],
    adapter: textOf(row, "adapter"),
    ...optional("model", row["model"], String),
    startedAt: textOf(row, "started_at"),
    ...optional("finishedAt", row["finished_at"], String),
    ...optional("durationMs", row["duration_ms"], Number),
    ...optional("waitMs", row["wait_ms"], Number),
    ...optional("usage", row["usage"], fromJson<Usage>),
    fingerprint: fingerprintOf(row),
    inputs: fromJson(row["inputs"] ?? "[]"),
    workspace: row["workspace"] === "isolated" ? "isolated" : "shared",
    artifacts,
    contracts,
    ...changesOf(row),
    ...optional("failure", row["failure"], fromJson<Failure>),
    ...optional("log", row["log"], digest),
    ...(row["undone"] === 1 ? { rolledBack: true } : {}),
  };
}

/** Contract results by `step.attempt`. */
function loadContracts(db: Database, run: string): ReadonlyMap<string, readonly ContractResult[]> {
  const violations = grouped(
    rowsOf(db, "SELECT * FROM violations WHERE run = ? ORDER BY step, attempt, contract, position", [run]),
    (row) => `${row["step"]}.${row["attempt"]}.${row["contract"]}`,
  );
  const rows = grouped(
    rowsOf(db, "SELECT * FROM contract_results WHERE run = ? ORDER BY step, attempt, position", [run]),
    (row) => `${row["step"]}.${row["attempt"]}`,
  );
  return new Map(
    [...rows].map(([key, results]) => [
      key,
      results.map((row) => contractOf(row, (violations.get(`${key}.${row["position"]}`) ?? []).map(violationOf))),
    ]),
  );
}

function contractOf(row: Row, violations: readonly Violation[]): ContractResult {
  return {
    name: textOf(row, "name"),
    type: textOf(row, "type"),
    verdict: textOf(row, "verdict") as ContractResult["verdict"],
    violations,
    ...optional("tail", row["tail"], String),
    durationMs: numberOf(row, "duration_ms"),
    onFailure: textOf(row, "on_failure") as ContractResult["onFailure"],
  };
}

function violationOf(row: Row): Violation {
  return {
    message: textOf(row, "message"),
    ...optional("pointer", row["pointer"], String),
    ...(row["file"] === null
      ? {}
      : { location: { file: textOf(row, "file"), line: numberOf(row, "line"), column: numberOf(row, "column") } }),
    ...optional("rule", row["rule"], String),
  };
}

function grouped(rows: readonly Row[], keyOf: (row: Row) => string): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}
