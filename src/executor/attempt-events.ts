/** The events of an attempt's end. Pure. */
import { defined } from "../core/defined.ts";
import type { EventPayload } from "../core/event.ts";
import type { ContractFile } from "../core/ports.ts";
import type { AttemptEnd, FailedEnd } from "./attempt.ts";
import { breakerKey } from "./circuit.ts";
import { isReplayed, type PendingAttempt } from "./decide-step.ts";

/** The next attempt, and the wait before it. */
export interface NextAttempt {
  readonly attempt: number;
  readonly delayMs: number;
}

/** One `contract-checked` per contract. Verdicts on cached and replayed results do not count for circuits; a probe that passed closes its own. */
export function contractsChecked(files: ReadonlyMap<string, ContractFile>, pending: PendingAttempt, end: AttemptEnd): EventPayload[] {
  const { step, start, admission } = pending;
  const payloads: EventPayload[] = [];
  const closed: EventPayload[] = [];
  for (const result of end.results) {
    const contract = step.contracts.find((candidate) => candidate.name === result.name);
    const counted = contract?.breaker !== undefined && pending.rechecked === undefined && !isReplayed(step);
    const breaker = counted ? breakerKey(contract, step.persona.digest, files) : undefined;
    payloads.push({
      type: "contract-checked",
      step: step.id,
      attempt: start.attempt,
      result,
      ...defined({ breaker }),
    });
    if (breaker !== undefined && result.verdict === "pass" && admission.probes.includes(breaker))
      closed.push({ type: "circuit-reset", breaker, contract: result.name, steps: [step.id] });
  }
  return [...payloads, ...closed];
}

/** The attempt passed. If only contracts were evaluated, `step-reused` names the run that the output comes from. */
export function attemptPassed(pending: PendingAttempt, end: AttemptEnd): EventPayload[] {
  const { step, start, rechecked } = pending;
  const { fingerprint } = start;
  const artifacts = [...end.artifacts];
  const changes = end.changes === undefined ? {} : { changes: end.changes };
  const passed: EventPayload = { type: "attempt-passed", ...common(pending, end), artifacts, ...changes };
  if (rechecked === undefined) return [passed];
  const from = { run: rechecked.run, attempt: rechecked.attempt };
  return [passed, { type: "step-reused", step: step.id, from, fingerprint, artifacts: [...(start.stored?.artifacts ?? [])], ...changes }];
}

/** The attempt failed. `next`: the retry, if there is one. */
export function attemptFailed(pending: PendingAttempt, end: FailedEnd, next?: NextAttempt): EventPayload {
  const retry = next === undefined ? {} : { retry: next };
  return { type: "attempt-failed", ...common(pending, end), failure: end.failure, artifacts: [...end.artifacts], ...retry };
}

/** The attempt was stopped. */
export function attemptCancelled(pending: PendingAttempt, end: AttemptEnd): EventPayload {
  return { type: "attempt-cancelled", ...common(pending, end) };
}

function common(pending: PendingAttempt, end: AttemptEnd) {
  const { step, start } = pending;
  return {
    step: step.id,
    attempt: start.attempt,
    durationMs: end.durationMs,
    ...defined({ log: end.log, usage: end.usage }),
  };
}
