/** Builds the trace of a run from its events and its record. Pure. */
import { defined } from "../../core/defined.ts";
import type { WaveEvent } from "../../core/event.ts";
import { describeFailure } from "../../core/failures.ts";
import { foldTimeline, type RunTimeline, type TimelineAttempt, type TimelineStep } from "../../core/run-timeline.ts";
import type { AttemptRecord, RunRecord, StepRecord, StepStatus } from "../../core/state.ts";
import { criticalPath } from "./critical-path.ts";
import type { Span, Trace, TraceAttempt, TraceCheck, TraceProcess, TraceStep } from "./trace.ts";

export interface TraceSource {
  readonly run: RunRecord;
  /** In reading order. Empty if the journals no longer exist. */
  readonly events: readonly WaveEvent[];
  /** Milliseconds since the epoch. The end of running attempts. */
  readonly now: number;
}

/** The trace. Without journals, it has steps but no times. */
export function buildTrace(source: TraceSource): Trace {
  const { run, events } = source;
  const moments = momentsOf(events);
  const currentIds = new Set(run.steps.map(({ id }) => id));
  const removed = [...moments.steps].filter(([id, { attempts }]) => !currentIds.has(id) && attempts.length > 0).map(removedStep);
  const drafts = [...run.steps, ...removed].map((record) => stepOf(record, source, moments));
  const critical = criticalPath(drafts.map((step) => ({ ...step, weight: step.workedMs + delaysOf(step) })));
  const onPath = new Set(critical.steps);
  const steps = drafts.map((step) => ({ ...step, critical: onPath.has(step.id) }));
  const processes = processesOf(source, moments, steps);
  const ends = [moments.lastMs, ...processes.map(({ endMs }) => endMs), ...steps.map(({ endMs = 0 }) => endMs)];
  return {
    run: run.id,
    pipeline: run.pipeline,
    ...defined({ version: run.version }),
    status: run.status,
    startedAt: events.length === 0 ? run.startedAt : new Date(moments.origin).toISOString(),
    startMs: 0,
    endMs: ends.reduce((most, at) => Math.max(most, at), 0),
    criticalPath: critical,
    processes,
    steps,
  };
}

/** A timeline whose times the trace states relative to `origin`, the earliest time of an event: no offset is negative. */
interface RunMoments extends RunTimeline {
  readonly origin: number;
  readonly lastMs: number;
}

function momentsOf(events: readonly WaveEvent[]): RunMoments {
  const times = events.map(({ ts }) => Date.parse(ts));
  const origin = times.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
  return { ...foldTimeline(events), origin, lastMs: times.reduce((most, at) => Math.max(most, at - origin), 0) };
}

/** A step with attempts that the current definition no longer contains. */
function removedStep([id, { attempts }]: readonly [string, TimelineStep]): StepRecord {
  return {
    id,
    persona: attempts.at(-1)?.begun.persona ?? "",
    dependencies: [],
    optional: false,
    status: "skipped" satisfies StepStatus,
    because: "it is no longer in the manifest",
    artifacts: [],
    attempts: [],
  };
}

function stepOf(record: StepRecord, source: TraceSource, moments: RunMoments): Omit<TraceStep, "critical"> {
  const { id, persona, status, reusedFrom, because, changes } = record;
  const found = [...record.attempts];
  const moment = moments.steps.get(id);
  const attempts = (moment?.attempts ?? []).map((attempt) => attemptOf(attempt, takeRecord(found, attempt), source, moments));
  const reusedAt = moment?.reused === undefined ? [] : [Date.parse(moment.reused.ts) - moments.origin];
  const spans: Span[] = [...attempts, ...reusedAt.map((at) => ({ startMs: at, endMs: at }))];
  return {
    id,
    persona,
    status,
    dependencies: [...(moment?.upstream ?? record.dependencies)],
    ...hullOf(spans),
    workedMs: sum(attempts.map(({ durationMs }) => durationMs)),
    waitMs: sum(attempts.map(({ waitMs }) => waitMs)),
    ...defined({ reusedFrom, because }),
    artifacts: record.artifacts.length,
    ...defined({ changes }),
    attempts,
  };
}

/** The record of an attempt. Numbers may repeat where several processes worked on the run, so each record is taken once. */
function takeRecord(records: AttemptRecord[], { begun }: TimelineAttempt): AttemptRecord | undefined {
  const at = records.findIndex(({ attempt, startedAt }) => attempt === begun.attempt && startedAt === begun.ts);
  return at < 0 ? undefined : records.splice(at, 1)[0];
}

function attemptOf(
  moment: TimelineAttempt,
  record: AttemptRecord | undefined,
  source: TraceSource,
  { origin, processes }: RunMoments,
): TraceAttempt {
  const { begun, ended, startedAt, readyAt, rechecked, results, ...waited } = moment;
  const status = statusOf(moment, record, source.run);
  const isRunning = ended === undefined && status === "running";
  const until = isRunning ? source.now : (processes.get(begun.writer)?.lastAt ?? startedAt);
  const durationMs = ended?.durationMs ?? Math.max(0, until - startedAt);
  const startMs = startedAt - origin;
  const span = { startMs, endMs: startMs + durationMs };
  const changes = ended?.type === "attempt-passed" ? ended.changes : undefined;
  return {
    attempt: begun.attempt,
    status,
    adapter: begun.adapter,
    ...defined({ model: begun.model }),
    ...span,
    durationMs,
    waitMs: Math.max(0, startedAt - readyAt),
    ...waited,
    ...defined({ rechecked }),
    ...(record?.rolledBack === true ? { rolledBack: true as const } : {}),
    ...(ended?.type === "attempt-failed" ? { failure: describeFailure(ended.failure).title } : {}),
    ...(ended?.usage === undefined ? {} : { usage: ended.usage }),
    artifacts: ended === undefined || ended.type === "attempt-cancelled" ? 0 : ended.artifacts.length,
    ...defined({ changes }),
    checks: checksOf(results, span),
    writer: begun.writer,
  };
}

function statusOf({ ended }: TimelineAttempt, record: AttemptRecord | undefined, run: RunRecord): TraceAttempt["status"] {
  switch (ended?.type) {
    case "attempt-passed":
      return "passed";
    case "attempt-failed":
      return "failed";
    case "attempt-cancelled":
      return "cancelled";
    case undefined:
      // The record may have been read before the attempt started.
      if (record === undefined) return run.status === "running" ? "running" : "interrupted";
      return record.status === "running" ? "running" : "interrupted";
  }
}

/** One after another, ending with the attempt. None starts before the attempt. */
function checksOf(results: TimelineAttempt["results"], attempt: Span): TraceCheck[] {
  const checks: TraceCheck[] = [];
  let endMs = attempt.endMs;
  for (const { name, type, verdict, durationMs } of [...results.values()].reverse()) {
    const startMs = Math.max(attempt.startMs, endMs - durationMs);
    checks.unshift({ name, type, verdict, durationMs, startMs, endMs });
    endMs = startMs;
  }
  return checks;
}

function processesOf({ run, now }: TraceSource, moments: RunMoments, steps: readonly TraceStep[]): TraceProcess[] {
  const attempts = steps.flatMap((step) => step.attempts);
  return [...moments.processes.values()].map(({ opened, startedAt, lastAt, closed, role }, index, all) => {
    const { writer, pid, host, wave } = opened;
    const own = attempts.filter((attempt) => attempt.writer === writer);
    const live = run.status === "running" && !closed && index === all.length - 1;
    const startMs = startedAt - moments.origin;
    const until = live ? [now - moments.origin] : [];
    const endMs = Math.max(lastAt - moments.origin, ...until, ...own.map((attempt) => attempt.endMs));
    return { writer, pid, host, wave, role, closed, startMs, endMs };
  });
}

function delaysOf({ attempts }: Pick<TraceStep, "attempts">): number {
  return sum(attempts.map(({ delayMs = 0, waitMs }) => Math.min(delayMs, waitMs)));
}

function hullOf(spans: readonly Span[]): Partial<Span> {
  if (spans.length === 0) return {};
  return {
    startMs: spans.reduce((least, { startMs }) => Math.min(least, startMs), Number.POSITIVE_INFINITY),
    endMs: spans.reduce((most, { endMs }) => Math.max(most, endMs), 0),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
