/**
 * Folds the events of a run. Pure: the same events, in any order and any number of times, produce the same fold. A
 * step's result is that of its first passed attempt since its last rollback.
 */

import type { AlertRecord } from "../core/alert.ts";
import { defined } from "../core/defined.ts";
import { compareEvents, type EventOf, type WaveEvent } from "../core/event.ts";
import { advanceTimeline, emptyTimeline, waitWithoutDelay } from "../core/run-timeline.ts";
import { resetOf, sampleOf } from "./breaker-samples.ts";
import { attemptDraft, endAttempt, openAttempt, type RunDraft, rollBackStep, type StepDraft, workOn } from "./fold-step.ts";
import type { RunFold } from "./run-fold.ts";

/** Undefined if no event records the run's start: its process died before that. */
export function foldRun(events: readonly WaveEvent[]): RunFold | undefined {
  const ordered = inOrder(events);
  const started = ordered.find((event) => event.type === "run-started");
  if (started === undefined) return undefined;
  const draft = runDraft(started);
  for (const event of ordered) {
    followWriter(draft, event);
    advanceTimeline(draft.timeline, event);
    apply(draft, event);
  }
  const { writers, steps, alerts, reuses: _reuses, removed: _removed, timeline: _timeline, ...run } = draft;
  const writerFolds = [...writers.values()].map(({ firstAt, lastAt, finishedMs, ...writer }) => ({
    ...writer,
    spentMs: finishedMs ?? Math.max(0, lastAt - firstAt),
  }));
  return { ...run, writers: writerFolds, steps: [...steps.values()], ...(alerts.length === 0 ? {} : { alerts }) };
}

/** Sorted and without duplicates. Journals are read in order, so there is usually nothing to sort. */
function inOrder(events: readonly WaveEvent[]): readonly WaveEvent[] {
  const strictly = events.every((event, index) => index === 0 || compareEvents(events[index - 1] ?? event, event) < 0);
  if (strictly) return events;
  const sorted = [...events].sort(compareEvents);
  return sorted.filter((event, index) => index === 0 || compareEvents(sorted[index - 1] ?? event, event) !== 0);
}

function runDraft(started: EventOf<"run-started">): RunDraft {
  return {
    id: started.run,
    pipeline: started.pipeline,
    ...defined({ version: started.version }),
    startedAt: started.ts,
    manifest: started.manifest,
    options: started.options,
    base: started.base,
    writers: new Map(),
    applied: false,
    steps: new Map(started.nodes.map((node) => [node.id, stepDraft(node)])),
    samples: [],
    resets: [],
    revoked: [],
    alerts: [],
    reuses: new Map(),
    removed: new Map(),
    timeline: emptyTimeline(),
  };
}

function stepDraft({ id, persona, dependencies, optional }: NodeDefinition): StepDraft {
  return { id, persona, dependencies, optional, status: "pending", attempts: [] };
}

type NodeDefinition = EventOf<"run-started">["nodes"][number];

function followWriter(draft: RunDraft, event: WaveEvent): void {
  const at = Date.parse(event.ts);
  if (event.type === "writer-opened") {
    const { writer, pid, processStart, host } = event;
    draft.writers.set(writer, { writer, pid, processStart, host, closed: false, firstAt: at, lastAt: at });
    return;
  }
  const writer = draft.writers.get(event.writer);
  if (writer === undefined) return;
  writer.lastAt = at;
  if (event.type === "writer-closed") writer.closed = true;
  if (event.type === "run-finished") writer.finishedMs = event.durationMs;
}

function apply(draft: RunDraft, event: WaveEvent): void {
  switch (event.type) {
    case "writer-opened":
    case "writer-closed":
    case "published":
    case "not-published":
    case "run-started":
    case "circuit-opened":
      return;
    case "run-resumed":
      resume(draft, event);
      return;
    case "run-finished":
      finish(draft, event);
      return;
    case "steps-rolled-back":
      rollBack(draft, event);
      return;
    case "rollback-started":
      draft.openRollback = event.to === undefined ? {} : { to: event.to };
      return;
    case "changes-merged":
      draft.changes = event.changes;
      draft.applied = draft.inProject?.digest === event.changes.digest;
      return;
    case "changes-applied":
      draft.changes = event.changes;
      draft.inProject = event.changes;
      draft.applied = true;
      return;
    case "changes-undone":
      rollBackChanges(draft, event);
      return;
    case "alert-sent":
    case "alert-failed":
      draft.alerts.push(alertOf(event));
      return;
    case "circuit-reset":
      draft.resets.push(resetOf(event));
      return;
    case "step-reused":
    case "step-reopened":
    case "step-finished":
    case "attempt-started":
    case "attempt-passed":
    case "attempt-failed":
    case "attempt-cancelled":
    case "contract-checked":
      applyToStep(draft, event);
      return;
  }
}

function resume(draft: RunDraft, event: EventOf<"run-resumed">): void {
  draft.options = { ...draft.options, concurrency: event.concurrency, onFailure: event.onFailure };
  delete draft.outcome;
  delete draft.finishedAt;
  delete draft.treeAfter;
  delete draft.failure;
  if (event.update !== undefined) redefine(draft, event.update);
  rollBackSteps(draft, event.again ?? []);
  const part = event.part === undefined ? undefined : new Set(event.part);
  for (const step of draft.steps.values()) {
    if (step.status !== "passed" && (part === undefined || part.has(step.id))) workOn(step, "pending");
  }
}

/** Applies another definition. Removed steps are kept aside: a later definition may contain them, with their attempts. */
function redefine(draft: RunDraft, { manifest, nodes }: NonNullable<EventOf<"run-resumed">["update"]>): void {
  draft.manifest = manifest;
  const before = new Map([...draft.removed, ...draft.steps]);
  for (const [id, step] of draft.steps) draft.removed.set(id, step);
  draft.steps = new Map();
  for (const node of nodes) {
    const { id, persona, dependencies, optional } = node;
    const step = before.get(id) ?? stepDraft(node);
    draft.removed.delete(id);
    draft.steps.set(id, Object.assign(step, { persona, dependencies, optional }));
  }
  for (const step of draft.removed.values()) rollBackStep(step);
}

function rollBack(draft: RunDraft, event: EventOf<"steps-rolled-back">): void {
  rollBackSteps(draft, event.steps);
  draft.outcome = "failed";
  draft.failure = { reason: "rolled-back", to: event.to, steps: event.steps };
  draft.finishedAt = event.ts;
  draft.applied = event.changes !== undefined;
  delete draft.openRollback;
  delete draft.treeAfter;
  delete draft.changes;
  delete draft.inProject;
  if (event.tree !== undefined) draft.treeAfter = event.tree;
  if (event.changes !== undefined) Object.assign(draft, { changes: event.changes, inProject: event.changes });
}

/** A rollback of the whole run rolls back every step, so that no run reuses its results. */
function rollBackChanges(draft: RunDraft, event: EventOf<"changes-undone">): void {
  rollBackSteps(draft, [...draft.steps.keys()]);
  draft.changes = event.changes;
  delete draft.openRollback;
  delete draft.inProject;
  draft.applied = false;
  delete draft.treeAfter;
}

function rollBackSteps(draft: RunDraft, ids: readonly string[]): void {
  for (const id of ids) {
    const step = draft.steps.get(id);
    if (step === undefined) continue;
    rollBackStep(step);
    draft.revoked.push(...(draft.reuses.get(id) ?? []));
    draft.reuses.delete(id);
  }
}

function finish(draft: RunDraft, event: EventOf<"run-finished">): void {
  draft.finishedAt = event.ts;
  if (event.moved === true) revokeIsolated(draft);
  if (event.part !== undefined) {
    finishPart(draft, event);
    return;
  }
  draft.outcome = event.status;
  if (event.tree !== undefined) draft.treeAfter = event.tree;
  if (event.failure !== undefined) draft.failure = event.failure;
}

/** Attempts may have seen different versions of a project that changed meanwhile, so no other run reuses their results. */
function revokeIsolated({ id: run, steps, revoked }: RunDraft): void {
  for (const { id: step, attempts } of steps.values()) {
    const passed = attempts.filter(({ status, workspace }) => status === "passed" && workspace === "isolated");
    revoked.push(...passed.map(({ attempt }) => ({ step, run, attempt })));
  }
}

/** Several processes may execute parts of a run at once, so the outcome is computed from all its steps. */
function finishPart(draft: RunDraft, { status, failure, run }: EventOf<"run-finished">): void {
  const steps = [...draft.steps.values()];
  const failed = steps.filter((step) => step.status === "failed" && !step.optional).map(({ id }) => id);
  delete draft.failure;
  if (status === "cancelled" || (failed.length === 0 && steps.some((step) => step.status === "cancelled"))) draft.outcome = "cancelled";
  else if (status === "failed" || failed.length > 0) draft.outcome = "failed";
  else draft.outcome = steps.some((step) => step.status === "pending" || step.status === "running") ? "pending" : "passed";
  if (failure !== undefined) draft.failure = failure;
  else if (draft.outcome === "failed") draft.failure = { reason: "run-failed", run, steps: failed };
}

function alertOf(event: EventOf<"alert-sent" | "alert-failed">): AlertRecord {
  const { alert, subject, ts } = event;
  const delivery = { alert, reason: event.reason as AlertRecord["reason"], subject, at: ts };
  return event.type === "alert-sent" ? { ...delivery, outcome: "sent" } : { ...delivery, outcome: "failed", because: event.because };
}

type StepEvent = Extract<WaveEvent, { readonly step: string }>;

function applyToStep(draft: RunDraft, event: Exclude<StepEvent, EventOf<"circuit-opened">>): void {
  const step = draft.steps.get(event.step);
  if (step === undefined) return;
  const open = step.status !== "passed";
  switch (event.type) {
    case "step-reopened":
      rollBackStep(step);
      return;
    case "step-reused":
      draft.reuses.set(step.id, [...(draft.reuses.get(step.id) ?? []), { step: step.id, ...event.from }]);
      if (!open) return;
      workOn(step, "passed");
      step.reused = {
        from: event.from,
        fingerprint: event.fingerprint,
        artifacts: event.artifacts,
        ...defined({ changes: event.changes }),
      };
      return;
    case "step-finished":
      if (!open || belongsToRolledBack(step, event)) return;
      workOn(step, event.status);
      if (event.failure !== undefined) step.failure = event.failure;
      if (event.because !== undefined) step.because = event.because;
      return;
    case "attempt-started":
      step.attempts.push(attemptDraft(event, waitOf(draft, event)));
      if (open) workOn(step, "running", event.writer);
      return;
    case "contract-checked":
      check(draft, step, event);
      return;
    case "attempt-passed":
    case "attempt-failed":
    case "attempt-cancelled":
      endAttempt(step, event);
      return;
  }
}

function waitOf({ timeline }: RunDraft, { step }: EventOf<"attempt-started">): number {
  const attempt = timeline.steps.get(step)?.attempts.at(-1);
  return attempt === undefined ? 0 : waitWithoutDelay(attempt);
}

/** Whether an event belongs to an attempt that was rolled back. */
function belongsToRolledBack(step: StepDraft, { attempt, writer }: { readonly attempt?: number; readonly writer: string }): boolean {
  return attempt !== undefined && step.attempts.some((one) => one.attempt === attempt && one.writer === writer && one.rolledBack);
}

function check(draft: RunDraft, step: StepDraft, event: EventOf<"contract-checked">): void {
  const { result } = event;
  const sample = sampleOf(event);
  if (sample !== undefined) draft.samples.push(sample);
  const attempt = openAttempt(step, event);
  if (attempt === undefined) return;
  // A contract that could not be evaluated is evaluated again; the last result counts.
  const before = attempt.contracts.findIndex((one) => one.name === result.name);
  if (before < 0) attempt.contracts.push(result);
  else attempt.contracts[before] = result;
}
