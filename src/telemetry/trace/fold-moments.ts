/**
 * Reads a run's events into moments: processes, attempts with what they waited for, and when steps were settled. It decides no statuses:
 * which processes still live is not in the events.
 */
import { defined } from "../../core/defined.ts";
import type { ChangesRef, EventOf, WaveEvent } from "../../core/event.ts";
import type { ContractResult } from "../../core/failure.ts";
import type { TraceAttempt, TraceProcess, WorkOrigin } from "./trace.ts";

/** An attempt as the events tell of it. Times are milliseconds since the run's first event. */
export interface AttemptMoments extends Pick<TraceAttempt, "waitMs" | "waitedFor" | "after" | "delayMs"> {
  readonly begun: EventOf<"attempt-started">;
  readonly startMs: number;
  ended?: EventOf<"attempt-passed" | "attempt-failed" | "attempt-cancelled">;
  rechecked?: WorkOrigin;
  readonly results: Map<string, ContractResult>;
}

export interface ProcessMoments {
  readonly opened: EventOf<"writer-opened">;
  readonly startMs: number;
  /** When it was last heard of. */
  lastMs: number;
  closed: boolean;
  role: TraceProcess["role"];
  /** When it began, or went on with, the run. */
  workMs: number;
}

export interface RunMoments {
  /** The first event, in milliseconds since the epoch: the earliest by its time, so that no offset is negative. */
  readonly origin: number;
  readonly lastMs: number;
  readonly processes: ReadonlyMap<string, ProcessMoments>;
  /** Step → its attempts, in the order in which they began. */
  readonly attempts: ReadonlyMap<string, readonly AttemptMoments[]>;
  /** Step → when and from where it was reused last. */
  readonly reuses: ReadonlyMap<string, { readonly atMs: number; readonly from: WorkOrigin; readonly changes?: ChangesRef }>;
  /** Step → what is directly upstream of it. */
  readonly upstream: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What a process does that writes such an event; its first one decides. */
const roles: Partial<Record<WaveEvent["type"], TraceProcess["role"]>> = {
  "run-started": "began",
  "run-resumed": "resumed",
  "rollback-started": "rolled back",
  "steps-rolled-back": "rolled back",
  "changes-undone": "rolled back",
};

interface Draft {
  readonly origin: number;
  readonly processes: Map<string, ProcessMoments>;
  readonly attempts: Map<string, AttemptMoments[]>;
  readonly reuses: Map<string, { atMs: number; from: WorkOrigin; changes?: ChangesRef }>;
  readonly upstream: Map<string, Set<string>>;
  /** Step → when it ended last. */
  readonly settled: Map<string, number>;
}

/** Takes events in reading order. */
export function foldMoments(events: readonly WaveEvent[]): RunMoments {
  const times = events.map(({ ts }) => Date.parse(ts));
  const origin = times.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const draft: Draft = {
    origin,
    processes: new Map(),
    attempts: new Map(),
    reuses: new Map(),
    upstream: new Map(),
    settled: new Map(),
  };
  let lastMs = 0;
  for (const event of events) {
    const atMs = Date.parse(event.ts) - origin;
    lastMs = Math.max(lastMs, atMs);
    follow(draft, event, atMs);
    apply(draft, event, atMs);
  }
  return { ...draft, lastMs };
}

function follow(draft: Draft, event: WaveEvent, atMs: number): void {
  if (event.type === "writer-opened") {
    draft.processes.set(event.writer, { opened: event, startMs: atMs, lastMs: atMs, closed: false, role: "wrote", workMs: atMs });
    return;
  }
  const process = draft.processes.get(event.writer);
  if (process === undefined) return;
  process.lastMs = Math.max(process.lastMs, atMs);
  if (event.type === "writer-closed") process.closed = true;
  const role = roles[event.type];
  if (role !== undefined && process.role === "wrote") process.role = role;
  if (event.type === "run-started" || event.type === "run-resumed") process.workMs = atMs;
}

function apply(draft: Draft, event: WaveEvent, atMs: number): void {
  switch (event.type) {
    case "run-started":
      define(draft, event.steps);
      return;
    case "run-resumed":
      if (event.update !== undefined) define(draft, event.update.steps);
      return;
    case "attempt-started":
      begin(draft, event, atMs);
      return;
    case "contract-checked":
      openAttempt(draft, event)?.results.set(event.result.name, event.result);
      return;
    case "attempt-passed":
    case "attempt-failed":
    case "attempt-cancelled": {
      const attempt = openAttempt(draft, event);
      if (attempt !== undefined) attempt.ended = event;
      if (event.type === "attempt-passed") draft.settled.set(event.step, atMs);
      return;
    }
    case "step-reused":
      reuse(draft, event, atMs);
      return;
    case "step-finished":
      draft.settled.set(event.step, atMs);
      return;
    default:
      return;
  }
}

function define(draft: Draft, steps: EventOf<"run-started">["steps"]): void {
  for (const { id, dependencies } of steps) draft.upstream.set(id, new Set(dependencies));
}

function openAttempt(draft: Draft, event: { readonly step: string; readonly attempt: number; readonly writer: string }) {
  return draft.attempts
    .get(event.step)
    ?.findLast(({ begun, ended }) => ended === undefined && begun.attempt === event.attempt && begun.writer === event.writer);
}

function begin(draft: Draft, event: EventOf<"attempt-started">, startMs: number): void {
  const upstream = draft.upstream.get(event.step) ?? new Set();
  for (const { from } of event.inputs) upstream.add(from);
  draft.upstream.set(event.step, upstream);
  const attempts = draft.attempts.get(event.step) ?? [];
  const { readyMs, ...waited } = retryWait(draft, attempts, event) ?? upstreamWait(draft, event, upstream);
  attempts.push({ begun: event, startMs, ...waited, waitMs: Math.max(0, startMs - readyMs), results: new Map() });
  draft.attempts.set(event.step, attempts);
}

/** Ready is a retry when the attempt before it has failed; the delay is a part of its wait. */
function retryWait(draft: Draft, earlier: readonly AttemptMoments[], next: EventOf<"attempt-started">) {
  const before = earlier.findLast(({ begun }) => begun.writer === next.writer)?.ended;
  if (before?.type !== "attempt-failed" || before.retry?.attempt !== next.attempt) return undefined;
  return { readyMs: Date.parse(before.ts) - draft.origin, waitedFor: "retry" as const, delayMs: before.retry.delayMs };
}

/** Ready is a step when its process is at work and the last of what is upstream of it has ended. */
function upstreamWait(draft: Draft, event: EventOf<"attempt-started">, upstream: ReadonlySet<string>) {
  let readyMs = draft.processes.get(event.writer)?.workMs ?? 0;
  let after: string | undefined;
  for (const id of upstream) {
    const atMs = draft.settled.get(id);
    if (atMs === undefined || atMs < readyMs) continue;
    readyMs = atMs;
    after = id;
  }
  return after === undefined ? { readyMs, waitedFor: "start" as const } : { readyMs, waitedFor: "dependency" as const, after };
}

/** Right after the end of an attempt, it says whose stored work the attempt judged again. */
function reuse(draft: Draft, event: EventOf<"step-reused">, atMs: number): void {
  const judged = draft.attempts
    .get(event.step)
    ?.findLast(({ ended }) => ended?.type === "attempt-passed" && ended.writer === event.writer && ended.seq === event.seq - 1);
  if (judged !== undefined) judged.rechecked = event.from;
  else draft.reuses.set(event.step, { atMs, from: event.from, ...defined({ changes: event.changes }) });
  draft.settled.set(event.step, atMs);
}
