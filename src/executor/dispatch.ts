/**
 * Starts what may start, and goes on from what ended. The events of a step's end and those of the attempts that it makes
 * room for are one append, so a chain of steps costs one fsync a step; nothing begins before its own event is on disk.
 */
import { describeFailure } from "../core/describe.ts";
import type { EventPayload } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { Step } from "../core/pipeline.ts";
import { ok } from "../core/result.ts";
import { type AttemptEnd, type FailedEnd, runAttempt } from "./attempt.ts";
import { attemptCancelled, attemptFailed, attemptPassed, contractsChecked, type NextAttempt } from "./attempt-events.ts";
import { changesStand, startWith } from "./changes.ts";
import type { CircuitOpen, OpenCircuit } from "./circuit.ts";
import { concludeCancelled, concludeFailed, concludePassed, dropOptional, exhaustRun, keepPassed } from "./conclude.ts";
import { attemptStarted, type Beginning, type FoundWork, type Opening, openStep, stepReopened } from "./decide-step.ts";
import { retryDecision, withJitter } from "./retry.ts";
import { announce, lose, progressOf, type Run, track } from "./run-state.ts";
import { offer, pause, take } from "./schedule.ts";
import { blobsVerify } from "./verified-blobs.ts";

/** Announces events together with the starts that are possible now, then starts them. */
export async function advance(run: Run, payloads: readonly EventPayload[]): Promise<void> {
  if (run.lost !== undefined) return;
  const batch = [...payloads, ...(run.ledger.isScarce() ? dropOptional(run) : [])];
  const beginnings: Beginning[] = [];
  const asking: Extract<Opening, { kind: "ask" }>[] = [];
  for (let planned = take(run.schedule); planned !== undefined; planned = take(run.schedule)) {
    const opening = openStep(run, planned.step);
    run.adoptable.delete(planned.step.id);
    if (opening.kind === "refused") batch.push(...opening.before, ...concludeFailed(run, planned.step, opening.failure));
    else if (opening.kind === "kept") keepPassed(run, planned.step, opening.left);
    else if (opening.kind === "ask") asking.push(opening);
    else {
      batch.push(...attemptStarted(opening.beginning));
      beginnings.push(opening.beginning);
    }
  }
  if (!(await announce(run, batch))) return;
  for (const beginning of beginnings) track(run, attempt(run, beginning));
  for (const opening of asking) track(run, ask(run, opening.beginning, opening.match));
}

/** Runs an attempt whose start is on disk, and goes on from its end. */
async function attempt(run: Run, beginning: Beginning): Promise<void> {
  try {
    progressOf(run, beginning.step.id).attempt = beginning.start.attempt;
    const { step } = beginning;
    if (step.workspace !== "shared") run.isolated = true;
    const end = await runAttempt(run.context, beginning.start, run.control.signal, (usage) => {
      run.ledger.note(step.id, usage);
      endIfExhausted(run);
    });
    run.ledger.close(step.id, end.usage);
    endIfExhausted(run);
    const opened = end.status === "failed" ? await run.circuits.afterFailure(beginning.admission, step, end.results) : ok(undefined);
    if (!opened.ok) return lose(run, opened.error);
    // The schedule moves on and its events are appended without a wait between them.
    await advance(run, goOn(run, beginning, end, opened.value));
  } finally {
    beginning.admission.release();
  }
}

/** Ends the run when its budget is exceeded: what runs is stopped, and nothing more begins. */
export function endIfExhausted(run: Run, failure: Failure | undefined = run.ledger.exceeded()): void {
  if (failure === undefined || run.exhausted !== undefined || run.schedule.open === 0) return;
  run.exhausted = failure;
  track(run, advance(run, exhaustRun(run, describeFailure(failure).title)));
}

/** Looks for equal work, then asks the circuits: what the step needs to know before it may begin. */
async function ask(run: Run, beginning: Beginning, match: FoundWork | undefined): Promise<void> {
  const { step } = beginning;
  if (match !== undefined && (await stands(run, step, match))) {
    if (run.control.signal.aborted) return advance(run, concludeCancelled(run, step));
    if (match.kind === "equal" || step.contracts.length === 0) return advance(run, reuse(run, beginning, match));
    const start = { ...beginning.start, stored: match.found, startFrom: () => startWith(run, step, match.found) };
    return beginAsked(run, { ...beginning, start, rechecked: match.found });
  }
  const admission = await run.circuits.admit(step);
  if (!admission.ok) return lose(run, admission.error);
  if (admission.value.kind === "admitted") return beginAsked(run, { ...beginning, admission: admission.value });
  if (run.control.signal.aborted) return advance(run, concludeCancelled(run, step));
  const { breaker, failure } = admission.value;
  return advance(run, [...stepReopened(beginning), ...circuitOpened(run, step, failure, breaker), ...concludeFailed(run, step, failure)]);
}

/** The event of an open circuit, once per run. */
function circuitOpened(run: Run, step: Step, { contract, failed, window }: CircuitOpen, breaker: string): EventPayload[] {
  if (run.opened.has(breaker)) return [];
  run.opened.add(breaker);
  return [{ type: "circuit-opened", step: step.id, contract, breaker, failed, window }];
}

/** Whether found work can be taken: its blobs are whole, and the project is as the fingerprints say. */
async function stands(run: Run, step: Step, match: FoundWork): Promise<boolean> {
  if ((await run.context.stillHolds?.()) === false) return false;
  return (await blobsVerify(run.context.blobs, match.found.artifacts)) && changesStand(run, step, match.found);
}

async function beginAsked(run: Run, beginning: Beginning): Promise<void> {
  if (run.control.signal.aborted) {
    beginning.admission.release();
    return advance(run, concludeCancelled(run, beginning.step));
  }
  if (await announce(run, attemptStarted(beginning))) return attempt(run, beginning);
  beginning.admission.release();
}

function reuse(run: Run, beginning: Beginning, match: FoundWork): EventPayload[] {
  const { step } = beginning;
  const { fingerprint } = beginning.start;
  const { run: from, attempt: number, artifacts, changes } = match.found;
  const reused: EventPayload = {
    type: "step-reused",
    step: step.id,
    from: { run: from, attempt: number },
    fingerprint,
    artifacts: [...artifacts],
    ...(changes === undefined ? {} : { changes }),
  };
  return [...stepReopened(beginning), reused, ...concludePassed(run, step, match.found)];
}

/** What an attempt's end means for its step. Moves the schedule on and gives the events. */
function goOn(run: Run, beginning: Beginning, end: AttemptEnd, opened: OpenCircuit | undefined): EventPayload[] {
  const { step, start } = beginning;
  if (end.status === "cancelled") return [attemptCancelled(beginning, end), ...concludeCancelled(run, step, start.attempt)];
  const checked = contractsChecked(run.context, beginning, end);
  if (end.status === "passed") {
    return [...checked, ...attemptPassed(beginning, end), ...concludePassed(run, step, end, start.attempt)];
  }
  const next = nextAttempt(run, beginning, end);
  if (next === undefined) return [...checked, attemptFailed(beginning, end), ...concludeFailed(run, step, end.failure, start.attempt)];
  if (run.control.signal.aborted) return [...checked, attemptFailed(beginning, end), ...concludeCancelled(run, step, start.attempt)];
  if (opened !== undefined) {
    const { failure, breaker } = opened;
    return [
      ...checked,
      attemptFailed(beginning, end),
      ...circuitOpened(run, step, failure, breaker),
      ...concludeFailed(run, step, failure),
    ];
  }
  const { failure, tail } = end;
  progressOf(run, step.id).feedback = { attempt: start.attempt, failure, ...(tail === undefined ? {} : { tail }) };
  pause(run.schedule, step.id);
  if (next.delayMs === 0) offer(run.schedule, step.id);
  else track(run, wakeAfter(run, step, next.delayMs));
  return [...checked, attemptFailed(beginning, end, next)];
}

/** Whether another attempt follows, and spends its budget. Stored work that a contract rejects is done anew, at nobody's cost. */
function nextAttempt(run: Run, beginning: Beginning, end: FailedEnd): NextAttempt | undefined {
  const { step, start } = beginning;
  const progress = progressOf(run, step.id);
  if (beginning.rechecked !== undefined && end.failure.reason === "contract-failed") {
    progress.rejected = true;
    return { attempt: start.attempt + 1, delayMs: 0 };
  }
  const decision = retryDecision(end.failure, step, progress.retries);
  if (!decision.retry) return undefined;
  progress.retries = { ...progress.retries, [decision.budget]: progress.retries[decision.budget] + 1 };
  return { attempt: start.attempt + 1, delayMs: withJitter(decision, run.context.random) };
}

/** A step that waits for its next attempt holds no slot. */
async function wakeAfter(run: Run, step: Step, delayMs: number): Promise<void> {
  await run.context.clock.sleep(delayMs, run.control.signal);
  offer(run.schedule, step.id);
  await advance(run, []);
}
