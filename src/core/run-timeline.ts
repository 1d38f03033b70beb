/**
 * The timeline of a run: its processes, and for each step its attempts, their waits and their results. `status`,
 * `trace`, the live view and metrics are derived from it. Does not decide statuses of runs, because events do not show
 * which processes are alive. Times are milliseconds since the epoch.
 */
import type { EventOf, WaveEvent } from "./event.ts";
import type { ContractResult } from "./failure.ts";
import { unreachable } from "./result.ts";
import type { StepStatus } from "./state.ts";

export interface TimelineAttempt {
  readonly begun: EventOf<"attempt-started">;
  readonly startedAt: number;
  /** The end of its last wait, before a retry's delay. At most `startedAt`, unless clocks differ. */
  readonly readyAt: number;
  /** The reason of its last wait: its process, an upstream step, or the failed attempt before it. */
  readonly waitedFor: "start" | "dependency" | "retry";
  /** The step that it waited for last. */
  readonly after?: string;
  /** The delay of the retry, in milliseconds. */
  readonly delayMs?: number;
  ended?: EventOf<"attempt-passed" | "attempt-failed" | "attempt-cancelled">;
  /** The attempt whose stored result was checked again; no persona ran. */
  rechecked?: EventOf<"step-reused">["from"];
  /** The last result of each contract, by the contract's name. */
  readonly results: Map<string, ContractResult>;
}

export interface TimelineStep {
  /** The steps that it depends on or took inputs from. */
  upstream: Set<string>;
  /** In the order in which they started. */
  readonly attempts: TimelineAttempt[];
  /** `waiting`: a failed attempt will be retried. */
  phase: StepStatus | "waiting";
  /** When it last passed, was reused or finished. */
  settledAt?: number;
  /** The last reuse, except of a result that an attempt checked again. */
  reused?: EventOf<"step-reused">;
  /** The end of the step; undefined again after it was reopened or another attempt started. */
  finished?: EventOf<"step-finished">;
  /** It was reopened, and no attempt has started since. */
  reopened?: true;
}

export interface TimelineProcess {
  readonly opened: EventOf<"writer-opened">;
  readonly startedAt: number;
  /** The time of its last event. */
  lastAt: number;
  closed: boolean;
  /** `wrote`: none of the others. */
  role: "began" | "resumed" | "rolled back" | "wrote";
}

export interface RunTimeline {
  readonly processes: Map<string, TimelineProcess>;
  /** Writer → when it started or resumed the run. */
  readonly workingSince: Map<string, number>;
  readonly steps: Map<string, TimelineStep>;
}

/** The first such event of a process decides its role. */
const roles: Partial<Record<WaveEvent["type"], TimelineProcess["role"]>> = {
  "run-started": "began",
  "run-resumed": "resumed",
  "rollback-started": "rolled back",
  "steps-rolled-back": "rolled back",
  "changes-undone": "rolled back",
};

/** A timeline without events. */
export function emptyTimeline(): RunTimeline {
  return { processes: new Map(), workingSince: new Map(), steps: new Map() };
}

/** The timeline of a run's events, in reading order. */
export function foldTimeline(events: readonly WaveEvent[]): RunTimeline {
  const timeline = emptyTimeline();
  for (const event of events) advanceTimeline(timeline, event);
  return timeline;
}

/** The step of a timeline, added if it is new. */
export function timelineStep({ steps }: RunTimeline, id: string): TimelineStep {
  const known = steps.get(id);
  if (known !== undefined) return known;
  const step: TimelineStep = { upstream: new Set(), attempts: [], phase: "pending" };
  steps.set(id, step);
  return step;
}

/** Milliseconds that an attempt waited although it was ready, without a retry's delay. */
export function waitWithoutDelay({ startedAt, readyAt, delayMs = 0 }: TimelineAttempt): number {
  return Math.max(0, startedAt - readyAt - delayMs);
}

/** Adds the next event, in place. */
export function advanceTimeline(timeline: RunTimeline, event: WaveEvent): void {
  const at = Date.parse(event.ts);
  followProcess(timeline, event, at);
  switch (event.type) {
    case "run-started":
      define(timeline, event.nodes);
      return;
    case "run-resumed":
      if (event.update !== undefined) define(timeline, event.update.nodes);
      return;
    case "attempt-started":
      start(timeline, event, at);
      return;
    case "contract-checked":
      openAttempt(timelineStep(timeline, event.step), event)?.results.set(event.result.name, event.result);
      return;
    case "attempt-passed":
    case "attempt-failed":
    case "attempt-cancelled":
      end(timelineStep(timeline, event.step), event, at);
      return;
    case "step-reused":
      reuse(timelineStep(timeline, event.step), event, at);
      return;
    case "step-reopened": {
      const step = timelineStep(timeline, event.step);
      delete step.finished;
      Object.assign(step, { phase: "pending", reopened: true });
      return;
    }
    case "step-finished":
      Object.assign(timelineStep(timeline, event.step), { phase: event.status, finished: event, settledAt: at });
      return;
    case "writer-opened":
    case "writer-closed":
    case "run-finished":
    case "circuit-opened":
    case "circuit-reset":
    case "changes-merged":
    case "changes-applied":
    case "rollback-started":
    case "changes-undone":
    case "steps-rolled-back":
    case "alert-sent":
    case "alert-failed":
    case "published":
    case "not-published":
      return;
    default:
      unreachable(event);
  }
}

function followProcess({ processes, workingSince }: RunTimeline, event: WaveEvent, at: number): void {
  if (event.type === "run-started" || event.type === "run-resumed") workingSince.set(event.writer, at);
  if (event.type === "writer-opened") {
    processes.set(event.writer, { opened: event, startedAt: at, lastAt: at, closed: false, role: "wrote" });
    return;
  }
  const process = processes.get(event.writer);
  if (process === undefined) return;
  process.lastAt = Math.max(process.lastAt, at);
  if (event.type === "writer-closed") process.closed = true;
  if (process.role === "wrote") process.role = roles[event.type] ?? "wrote";
}

function define(timeline: RunTimeline, nodes: EventOf<"run-started">["nodes"]): void {
  for (const { id, dependencies } of nodes) timelineStep(timeline, id).upstream = new Set(dependencies);
}

function start(timeline: RunTimeline, event: EventOf<"attempt-started">, startedAt: number): void {
  const step = timelineStep(timeline, event.step);
  for (const { from } of event.inputs) step.upstream.add(from);
  const wait = retryWait(step, event) ?? upstreamWait(timeline, step, event, startedAt);
  step.attempts.push({ begun: event, startedAt, ...wait, results: new Map() });
  step.phase = "running";
  delete step.finished;
  delete step.reopened;
}

/** A retry is ready once the attempt before it has failed. */
function retryWait({ attempts }: TimelineStep, next: EventOf<"attempt-started">) {
  const before = attempts.findLast(({ begun }) => begun.writer === next.writer)?.ended;
  if (before?.type !== "attempt-failed" || before.retry?.attempt !== next.attempt) return undefined;
  return { readyAt: Date.parse(before.ts), waitedFor: "retry" as const, delayMs: before.retry.delayMs };
}

/** A step is ready once its process works on the run and every upstream step has ended. */
function upstreamWait(
  { workingSince, processes, steps }: RunTimeline,
  { upstream }: TimelineStep,
  { writer }: WaveEvent,
  startedAt: number,
) {
  let readyAt = workingSince.get(writer) ?? processes.get(writer)?.startedAt ?? startedAt;
  let after: string | undefined;
  for (const id of upstream) {
    const at = steps.get(id)?.settledAt;
    if (at === undefined || at < readyAt) continue;
    readyAt = at;
    after = id;
  }
  return after === undefined ? { readyAt, waitedFor: "start" as const } : { readyAt, waitedFor: "dependency" as const, after };
}

function openAttempt(
  { attempts }: TimelineStep,
  event: { readonly attempt: number; readonly writer: string },
): TimelineAttempt | undefined {
  return attempts.findLast(({ begun, ended }) => ended === undefined && begun.attempt === event.attempt && begun.writer === event.writer);
}

function end(step: TimelineStep, event: EventOf<"attempt-passed" | "attempt-failed" | "attempt-cancelled">, at: number): void {
  const attempt = openAttempt(step, event);
  if (attempt !== undefined) attempt.ended = event;
  if (event.type === "attempt-passed") step.settledAt = at;
  if (event.type === "attempt-failed" && event.retry !== undefined) step.phase = "waiting";
}

/** Right after the end of an attempt, the event names the stored result that the attempt checked again. */
function reuse(step: TimelineStep, event: EventOf<"step-reused">, at: number): void {
  const checked = step.attempts.findLast(
    ({ ended }) => ended?.type === "attempt-passed" && ended.writer === event.writer && ended.seq === event.seq - 1,
  );
  if (checked === undefined) step.reused = event;
  else checked.rechecked = event.from;
  Object.assign(step, { phase: "passed", settledAt: at });
}
