/**
 * Folds the events of a run. Pure: the same events, in any order and any number of times, give the same fold. Of several passed
 * attempts of a step the first counts.
 */
import { compareEvents, type EventOf, type WaveEvent } from "../model/event.ts";
import { resetOf, sampleOf } from "./breaker-samples.ts";
import { attemptDraft, endAttempt, openAttempt, type RunDraft, type StepDraft, workOn } from "./fold-step.ts";
import type { RunFold } from "./run-fold.ts";

/** Nothing, if no event says that the run started: its process died before it began. */
export function foldRun(events: readonly WaveEvent[]): RunFold | undefined {
  const ordered = inOrder(events);
  const started = ordered.find((event) => event.type === "run-started");
  if (started === undefined) return undefined;
  const draft = runDraft(started);
  for (const event of ordered) {
    followWriter(draft, event);
    apply(draft, event);
  }
  const { writers, steps, ...run } = draft;
  const writerFolds = [...writers.values()].map(({ firstAt, lastAt, finishedMs, ...writer }) => ({
    ...writer,
    spentMs: finishedMs ?? Math.max(0, lastAt - firstAt),
  }));
  return { ...run, writers: writerFolds, steps: [...steps.values()] };
}

/** Sorted and without duplicates. Journals are read in order, so that mostly nothing is to be done. */
function inOrder(events: readonly WaveEvent[]): readonly WaveEvent[] {
  const strictly = events.every((event, index) => index === 0 || compareEvents(events[index - 1] ?? event, event) < 0);
  if (strictly) return events;
  const sorted = [...events].sort(compareEvents);
  return sorted.filter((event, index) => index === 0 || compareEvents(sorted[index - 1] ?? event, event) !== 0);
}

function runDraft(started: EventOf<"run-started">): RunDraft {
  const steps = started.steps.map(({ id, persona, dependencies, optional }): [string, StepDraft] => [
    id,
    { id, persona, dependencies, optional, status: "pending", artifacts: [], attempts: [] },
  ]);
  return {
    id: started.run,
    pipeline: started.pipeline,
    ...(started.version === undefined ? {} : { version: started.version }),
    startedAt: started.ts,
    manifest: started.manifest,
    options: started.options,
    base: started.base,
    writers: new Map(),
    applied: false,
    steps: new Map(steps),
    samples: [],
    resets: [],
  };
}

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
    case "run-started":
    case "circuit-opened":
      return;
    case "run-resumed":
      resume(draft, event);
      return;
    case "run-finished":
      finish(draft, event);
      return;
    case "changes-merged":
      draft.changes = event.changes;
      return;
    case "changes-applied":
    case "changes-undone":
      draft.changes = event.changes;
      draft.applied = event.type === "changes-applied";
      return;
    case "circuit-reset":
      draft.resets.push(resetOf(event));
      return;
    case "step-reused":
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
  for (const step of draft.steps.values()) {
    if (step.status !== "passed") workOn(step, "pending");
  }
}

function finish(draft: RunDraft, event: EventOf<"run-finished">): void {
  draft.outcome = event.status;
  draft.finishedAt = event.ts;
  if (event.tree !== undefined) draft.treeAfter = event.tree;
  if (event.failure !== undefined) draft.failure = event.failure;
}

type StepEvent = Extract<WaveEvent, { readonly step: string }>;

function applyToStep(draft: RunDraft, event: Exclude<StepEvent, EventOf<"circuit-opened">>): void {
  const step = draft.steps.get(event.step);
  if (step === undefined) return;
  const open = step.status !== "passed";
  switch (event.type) {
    case "step-reused":
      if (!open) return;
      workOn(step, "passed");
      step.reusedFrom = event.from;
      step.fingerprint = event.fingerprint;
      step.artifacts = event.artifacts;
      if (event.changes !== undefined) step.changes = event.changes;
      return;
    case "step-finished":
      if (!open) return;
      workOn(step, event.status);
      if (event.failure !== undefined) step.failure = event.failure;
      if (event.because !== undefined) step.because = event.because;
      return;
    case "attempt-started":
      step.attempts.push(attemptDraft(event));
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

function check(draft: RunDraft, step: StepDraft, event: EventOf<"contract-checked">): void {
  const { result } = event;
  const sample = sampleOf(event);
  if (sample !== undefined) draft.samples.push(sample);
  const attempt = openAttempt(step, event);
  if (attempt === undefined) return;
  // A contract that could not be evaluated is evaluated again; the last result stands.
  const before = attempt.contracts.findIndex((one) => one.name === result.name);
  if (before < 0) attempt.contracts.push(result);
  else attempt.contracts[before] = result;
}
