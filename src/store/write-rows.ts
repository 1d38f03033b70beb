/** Lays a run's fold into the tables, in the place of what was there. */
import type { Database, SqlValue } from "sql.js";
import type { ArtifactRef } from "../core/event.ts";
import type { AttemptFold, RunFold, StepFold } from "./run-fold.ts";
import { runTables } from "./schema.ts";
import type { Watermark } from "./watermark.ts";

type Values = readonly SqlValue[];

/** Takes a run out of all tables. */
function deleteRun(db: Database, run: string): void {
  for (const table of runTables) db.run(`DELETE FROM ${table} WHERE run = ?`, [run]);
}

/**
 * Replaces a run's rows. Without a fold only the watermarks stay: a run that never started is looked at again only when it
 * grows. Call it within a transaction.
 */
export function replaceRun(db: Database, run: string, fold: RunFold | undefined, watermarks: readonly Watermark[]): void {
  deleteRun(db, run);
  insertWriters(db, run, fold, watermarks);
  if (fold === undefined) return;
  insertAll(db, "runs", [runValues(fold)]);
  insertSteps(db, run, fold.steps);
  const samples = fold.samples.map(({ breaker, at, clock, failed }, position) => [breaker, at, run, clock, position, Number(failed)]);
  insertAll(db, "breaker_samples", samples);
  const resets = fold.resets.map(({ breaker, at, clock }, position) => [breaker, at, run, clock, position]);
  insertAll(db, "breaker_resets", resets);
  const revoked = fold.revoked.map(({ step, run: of, attempt }, position) => [run, position, step, of, attempt]);
  insertAll(db, "revoked_work", revoked);
  const alerts = (fold.alerts ?? []).map(({ alert, reason, subject, outcome, at, because }, position) => [
    ...[run, position, alert, reason, subject, outcome, at],
    orNull(because),
  ]);
  insertAll(db, "alerts", alerts);
}

function insertWriters(db: Database, run: string, fold: RunFold | undefined, watermarks: readonly Watermark[]): void {
  const known = new Map(fold?.writers.map((writer, position) => [writer.writer, { ...writer, position }]));
  const rows = watermarks.map(({ writer, size, bytes, seq, head, closed }) => {
    const one = known.get(writer);
    const identity = [orNull(one?.position), orNull(one?.pid), orNull(one?.processStart), orNull(one?.host)];
    return [run, writer, ...identity, Number(closed), orNull(one?.spentMs), size, bytes, seq, head];
  });
  insertAll(db, "writers", rows);
}

function runValues(fold: RunFold): Values {
  const { id, pipeline, version, outcome, startedAt, finishedAt, manifest, options, base, treeAfter, failure, changes, applied } = fold;
  const times = [startedAt, orNull(finishedAt)];
  return [
    id,
    pipeline,
    orNull(version),
    orNull(outcome),
    ...times,
    manifest,
    json(options),
    json(base),
    base.tree,
    orNull(treeAfter),
    json(failure),
    0,
    json(changes),
    Number(applied),
    json(fold.inProject),
    fold.openRollback === undefined ? null : (fold.openRollback.to ?? ""),
  ];
}

function insertSteps(db: Database, run: string, steps: readonly StepFold[]): void {
  insertAll(
    db,
    "steps",
    steps.map((step, position) => [run, position, ...stepValues(step)]),
  );
  const attempts = steps.flatMap((step, position) =>
    step.attempts.map((attempt, index) => ({ attempt, at: [run, position, index] as const })),
  );
  insertAll(
    db,
    "attempts",
    attempts.map(({ attempt, at }) => [...at, ...attemptValues(attempt)]),
  );
  const reused = steps.flatMap((step, position) => (step.winner === undefined ? artifactRows([run, position, -1], step.artifacts) : []));
  insertAll(db, "artifacts", [...reused, ...attempts.flatMap(({ attempt, at }) => artifactRows(at, attempt.artifacts))]);
  insertContracts(db, attempts);
}

function stepValues(step: StepFold): Values {
  const own = step.winner === undefined ? step.fingerprint : undefined;
  return [
    step.id,
    step.persona,
    json(step.dependencies),
    Number(step.optional),
    step.status,
    orNull(step.writer),
    orNull(step.winner),
    orNull(step.reusedFrom?.run),
    orNull(step.reusedFrom?.attempt),
    orNull(own?.work),
    orNull(own?.gate),
    json(own?.parts),
    json(step.failure),
    orNull(step.because),
    json(step.winner === undefined ? step.changes : undefined),
  ];
}

function attemptValues(attempt: AttemptFold): Values {
  const { work, gate, parts } = attempt.fingerprint;
  return [
    attempt.attempt,
    attempt.writer,
    attempt.status,
    attempt.adapter,
    orNull(attempt.model),
    attempt.startedAt,
    orNull(attempt.finishedAt),
    orNull(attempt.durationMs),
    work,
    gate,
    json(parts),
    json(attempt.inputs),
    json(attempt.failure),
    orNull(attempt.log),
    attempt.workspace,
    json(attempt.changes),
    Number(attempt.rolledBack === true),
    orNull(attempt.waitMs),
    json(attempt.usage),
  ];
}

function artifactRows(at: readonly [string, number, number], artifacts: readonly ArtifactRef[]): readonly Values[] {
  return artifacts.map(({ name, digest, size, mediaType, source }, position) => [...at, position, name, digest, size, mediaType, source]);
}

function insertContracts(db: Database, attempts: readonly { attempt: AttemptFold; at: readonly [string, number, number] }[]): void {
  const results = attempts.flatMap(({ attempt, at }) =>
    attempt.contracts.map((result, position) => ({ result, at: [...at, position] as const })),
  );
  insertAll(
    db,
    "contract_results",
    results.map(({ result, at }) => [
      ...at,
      result.name,
      result.type,
      result.verdict,
      orNull(result.tail),
      result.durationMs,
      result.onFailure,
    ]),
  );
  insertAll(
    db,
    "violations",
    results.flatMap(({ result, at }) =>
      result.violations.map(({ message, pointer, location, rule }, position) => [
        ...at,
        position,
        message,
        orNull(pointer),
        orNull(location?.file),
        orNull(location?.line),
        orNull(location?.column),
        orNull(rule),
      ]),
    ),
  );
}

function insertAll(db: Database, table: (typeof runTables)[number], rows: readonly Values[]): void {
  const [first] = rows;
  if (first === undefined) return;
  const statement = db.prepare(`INSERT INTO ${table} VALUES (${first.map(() => "?").join(", ")})`);
  try {
    for (const row of rows) statement.run([...row]);
  } finally {
    statement.free();
  }
}

function json(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function orNull<T extends SqlValue>(value: T | undefined): T | null {
  return value ?? null;
}
