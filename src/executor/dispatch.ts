/**
 * Starts what may start, and goes on from what ended. The events of a step's end and those of the attempts that it makes
 * room for are one append, so a chain of steps costs one fsync a step; nothing begins before its own event is on disk.
 */
import { defined } from "../core/defined.ts";
import type { EventPayload } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { describeFailure } from "../core/failures.ts";
import type { Step } from "../core/pipeline.ts";
import { ok } from "../core/result.ts";
import { type AttemptEnd, type FailedEnd, runAttempt } from "./attempt.ts";
import { attemptCancelled, attemptFailed, attemptPassed, contractsChecked, type NextAttempt } from "./attempt-events.ts";
import { changesStand, startWith } from "./changes.ts";
import type { CircuitOpen, OpenCircuit } from "./circuit.ts";
import { concludeCancelled, concludeFailed, concludePassed, dropOptional, exhaustRun, keepPassed } from "./conclude.ts";
import { attemptStarted, type CacheMatch, decideStep, type PendingAttempt, type StepDecision, stepReopened } from "./decide-step.ts";
import { retryDecision, withJitter } from "./retry.ts";
import { abort, appendAndNotify, progressOf, type Run, track } from "./run-state.ts";
import { offer, pause, take } from "./schedule.ts";
import { blobsVerify } from "./verified-blobs.ts";

/** Announces events together with the starts that are possible now, then starts them. */
export async function advance(run: Run, payloads: readonly EventPayload[]): Promise<void> {
  if (run.lost !== undefined) return;
  const batch = [...payloads, ...(run.ledger.isScarce() ? dropOptional(run) : [])];
  const pendingAttempts: PendingAttempt[] = [];
  const asking: Extract<StepDecision, { kind: "ask" }>[] = [];
  for (let planned = take(run.schedule); planned !== undefined; planned = take(run.schedule)) {
    const opening = decideStep(run, planned.step);
    run.restorable.delete(planned.step.id);
    if (opening.kind === "refused") batch.push(...opening.before, ...concludeFailed(run, planned.step, opening.failure));
    else if (opening.kind === "kept") keepPassed(run, planned.step, opening.left);
    else if (opening.kind === "ask") asking.push(opening);
    else {
      batch.push(...attemptStarted(opening.pending));
      pendingAttempts.push(opening.pending);
    }
  }
  if (!(await appendAndNotify(run, batch))) return;
  for (const pending of pendingAttempts) track(run, attempt(run, pending));
  for (const opening of asking) track(run, checkReuse(run, opening.pending, opening.match));
}

/** Runs an attempt whose start is on disk, and goes on from its end. */
async function attempt(run: Run, pending: PendingAttempt): Promise<void> {
  try {
    progressOf(run, pending.step.id).attempt = pending.start.attempt;
    const { step } = pending;
    if (step.workspace !== "shared") run.isolated = true;
    const end = await runAttempt(run.context, pending.start, run.control.signal, (usage) => {
      run.ledger.note(step.id, usage);
      endIfExhausted(run);
    });
    run.ledger.close(step.id, end.usage);
    endIfExhausted(run);
    const opened = end.status === "failed" ? await run.circuits.afterFailure(pending.admission, step, end.results) : ok(undefined);
    if (!opened.ok) return abort(run, opened.error);
    // The schedule moves on and its events are appended without a wait between them.
    await advance(run, continueRun(run, pending, end, opened.value));
  } finally {
    pending.admission.release();
  }
}

/** Ends the run when its budget is exceeded: what runs is stopped, and nothing more begins. */
export function endIfExhausted(run: Run, failure: Failure | undefined = run.ledger.exceeded()): void {
  if (failure === undefined || run.exhausted !== undefined || run.schedule.open === 0) return;
  run.exhausted = failure;
  track(run, advance(run, exhaustRun(run, describeFailure(failure).title)));
}

/** Looks for equal work, then asks the circuits: what the step needs to know before it may begin. */
async function checkReuse(run: Run, pending: PendingAttempt, match: CacheMatch | undefined): Promise<void> {
  const { step } = pending;
  if (match !== undefined && (await stands(run, step, match))) {
    if (run.control.signal.aborted) return advance(run, concludeCancelled(run, step));
    if (match.kind === "equal" || step.contracts.length === 0) return advance(run, reuse(run, pending, match));
    const start = { ...pending.start, stored: match.found, startFrom: () => startWith(run, step, match.found) };
    return startAttempt(run, { ...pending, start, rechecked: match.found });
  }
  const admission = await run.circuits.admit(step);
  if (!admission.ok) return abort(run, admission.error);
  if (admission.value.kind === "admitted") return startAttempt(run, { ...pending, admission: admission.value });
  if (run.control.signal.aborted) return advance(run, concludeCancelled(run, step));
  const { breaker, failure } = admission.value;
  return advance(run, [...stepReopened(pending), ...circuitOpened(run, step, failure, breaker), ...concludeFailed(run, step, failure)]);
}

/** The event of an open circuit, once per run. */
function circuitOpened(run: Run, step: Step, { contract, failed, window }: CircuitOpen, breaker: string): EventPayload[] {
  if (run.opened.has(breaker)) return [];
  run.opened.add(breaker);
  return [{ type: "circuit-opened", step: step.id, contract, breaker, failed, window }];
}

/** Whether found work can be taken: its blobs are whole, and the project is as the fingerprints say. */
async function stands(run: Run, step: Step, match: CacheMatch): Promise<boolean> {
  if ((await run.context.stillHolds?.()) === false) return false;
  return (await blobsVerify(run.context.blobs, match.found.artifacts)) && changesStand(run, step, match.found);
}

async function startAttempt(run: Run, pending: PendingAttempt): Promise<void> {
  if (run.control.signal.aborted) {
    pending.admission.release();
    return advance(run, concludeCancelled(run, pending.step));
  }
  if (await appendAndNotify(run, attemptStarted(pending))) return attempt(run, pending);
  pending.admission.release();
}

function reuse(run: Run, pending: PendingAttempt, match: CacheMatch): EventPayload[] {
  const { step } = pending;
  const { fingerprint } = pending.start;
  const { run: from, attempt: number, artifacts, changes } = match.found;
  const reused: EventPayload = {
    type: "step-reused",
    step: step.id,
    from: { run: from, attempt: number },
    fingerprint,
    artifacts: [...artifacts],
    ...defined({ changes }),
  };
  return [...stepReopened(pending), reused, ...concludePassed(run, step, match.found)];
}

/** What an attempt's end means for its step. Moves the schedule on and gives the events. */
function continueRun(run: Run, pending: PendingAttempt, end: AttemptEnd, opened: OpenCircuit | undefined): EventPayload[] {
  const { step, start } = pending;
  if (end.status === "cancelled") return [attemptCancelled(pending, end), ...concludeCancelled(run, step, start.attempt)];
  const checked = contractsChecked(run.context, pending, end);
  if (end.status === "passed") {
    return [...checked, ...attemptPassed(pending, end), ...concludePassed(run, step, end, start.attempt)];
  }
  const next = nextAttempt(run, pending, end);
  if (next === undefined) return [...checked, attemptFailed(pending, end), ...concludeFailed(run, step, end.failure, start.attempt)];
  if (run.control.signal.aborted) return [...checked, attemptFailed(pending, end), ...concludeCancelled(run, step, start.attempt)];
  if (opened !== undefined) {
    const { failure, breaker } = opened;
    return [...checked, attemptFailed(pending, end), ...circuitOpened(run, step, failure, breaker), ...concludeFailed(run, step, failure)];
  }
  const { failure, tail } = end;
  progressOf(run, step.id).feedback = { attempt: start.attempt, failure, ...defined({ tail }) };
  pause(run.schedule, step.id);
  if (next.delayMs === 0) offer(run.schedule, step.id);
  else track(run, wakeAfter(run, step, next.delayMs));
  return [...checked, attemptFailed(pending, end, next)];
}

/** Whether another attempt follows, and spends its budget. Stored work that a contract rejects is done anew, at nobody's cost. */
function nextAttempt(run: Run, pending: PendingAttempt, end: FailedEnd): NextAttempt | undefined {
  const { step, start } = pending;
  const progress = progressOf(run, step.id);
  if (pending.rechecked !== undefined && end.failure.reason === "contract-failed") {
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
