/**
 * What becomes of a step whose turn it is, as far as that can be told without waiting: it cannot start, it has passed
 * already, its attempt may begin at once, or state or blobs have to be asked first.
 */

import { digestUpstream } from "../changeset/upstream-changes.ts";
import { defined } from "../core/defined.ts";
import type { EventPayload, FingerprintRef } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { Step } from "../core/pipeline.ts";
import type { Adapter } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { StepRecord } from "../core/state.ts";
import type { AttemptStart, ReadyInput } from "./attempt.ts";
import { builtOnOf, startOf } from "./changes.ts";
import { type Admission, unguarded } from "./circuit.ts";
import type { StepOutput } from "./conclude.ts";
import type { CachedOutput } from "./context.ts";
import { progressOf, type Run } from "./run-state.ts";

/** An attempt that is about to begin. */
export interface PendingAttempt {
  readonly step: Step;
  readonly start: AttemptStart;
  readonly admission: Extract<Admission, { kind: "admitted" }>;
  /** The earlier work whose stored artifacts are only judged again. */
  readonly rechecked?: CachedOutput;
  /** Why what the step did in this run before does not stand. */
  readonly reopened?: string;
}

export type StepDecision =
  | { readonly kind: "refused"; readonly failure: Failure; readonly before: readonly EventPayload[] }
  | { readonly kind: "kept"; readonly left: StepOutput }
  | { readonly kind: "begin"; readonly pending: PendingAttempt }
  | { readonly kind: "ask"; readonly pending: PendingAttempt; readonly match?: CacheMatch };

/** Equal work that passed before; its blobs are not verified yet. */
export interface CacheMatch {
  readonly kind: "equal" | "recheck";
  readonly found: CachedOutput;
}

/** Opens a step that has just been given a slot. Takes the number of its next attempt, but announces nothing. */
export function decideStep(run: Run, step: Step): StepDecision {
  const adapter = adapterOf(run, step);
  if (!adapter.ok) return refusal(run, step, adapter.error);
  const inputs = inputsOf(run, step);
  if (!inputs.ok) return refusal(run, step, inputs.error);
  const digests = Object.fromEntries(inputs.value.map((input) => [input.name, input.digest]));
  const fingerprint = run.context.fingerprintOf(step, digests, digestUpstream(builtOnOf(run, step)));
  const kept = keptWork(run, step, fingerprint);
  if (kept !== undefined) return { kind: "kept", left: kept };
  const progress = progressOf(run, step.id);
  const { feedback, rejected } = progress;
  const attempt = progress.attempt + 1;
  const start: AttemptStart = {
    step,
    attempt,
    adapter: adapter.value,
    fingerprint,
    inputs: inputs.value,
    startFrom: () => startOf(run, step),
    ...defined({ feedback }),
  };
  const reopened = reopeningOf(run, step);
  const pending: PendingAttempt = { step, start, admission: unguarded, ...defined({ reopened }) };
  const match =
    rejected || attemptedHere(progress.retries)
      ? undefined
      : (ownMatch(run, step, fingerprint) ?? run.context.matchWork?.(step, fingerprint));
  if (match !== undefined && match.kind !== "new") return { kind: "ask", pending: pending, match };
  const guarded = !isReplayed(step) && step.contracts.some((contract) => contract.breaker !== undefined);
  return guarded ? { kind: "ask", pending: pending } : { kind: "begin", pending: pending };
}

/** A recording says nothing of how somebody works now: circuits neither hold it up nor learn from it. */
export function isReplayed({ adapter }: Step): boolean {
  return adapter?.name === "replay";
}

/** The events that have to be on disk before the attempt does anything. */
export function attemptStarted(pending: PendingAttempt): EventPayload[] {
  const { step, start, admission } = pending;
  const { fingerprint } = start;
  const model = step.persona.model ?? step.adapter?.model;
  const started: EventPayload = {
    type: "attempt-started",
    step: step.id,
    attempt: start.attempt,
    persona: step.persona.name,
    adapter: start.adapter.name,
    ...defined({ model }),
    fingerprint,
    inputs: start.inputs.map(({ name, digest, from }) => ({ name, digest, from })),
    workspace: step.workspace === "shared" ? "shared" : "isolated",
    breakers: [...admission.breakers],
    probe: admission.probes.length > 0,
  };
  return [...stepReopened(pending), started];
}

/** Takes back that a step had passed, where it had. */
export function stepReopened({ step, reopened }: { readonly step: Step; readonly reopened?: string | undefined }): EventPayload[] {
  return reopened === undefined ? [] : [{ type: "step-reopened", step: step.id, because: reopened }];
}

function refusal(run: Run, step: Step, failure: Failure): StepDecision {
  return { kind: "refused", failure, before: stepReopened({ step, reopened: reopeningOf(run, step) }) };
}

function adapterOf(run: Run, step: Step): Result<Adapter> {
  const name = step.adapter?.name;
  const adapter = name === undefined ? undefined : run.context.adapters.get(name);
  if (adapter !== undefined) return ok(adapter);
  return err({
    reason: "adapter-missing",
    step: step.id,
    persona: step.persona.name,
    ...defined({ adapter: name }),
    detail: name === undefined ? "no adapter is chosen for it" : `adapter ${name} is not available`,
    hint: "choose an adapter with --adapter, or set `defaults.adapter`",
  });
}

/** Inputs that are there, from the artifacts of passed steps. One that is missing and not optional is a failure, never an empty input. */
function inputsOf(run: Run, step: Step): Result<readonly ReadyInput[]> {
  const inputs: ReadyInput[] = [];
  for (const { name, artifact, from, optional } of step.inputs) {
    const found = from === undefined ? undefined : run.artifacts.get(from)?.find((candidate) => candidate.name === artifact);
    if (from !== undefined && found !== undefined) {
      inputs.push({ name, mediaType: found.mediaType, size: found.size, digest: found.digest, from });
    } else if (!optional) {
      return err({
        reason: "input-unavailable",
        input: name,
        from: from ?? "",
        detail: `${from ?? "no step"} left no artifact ${artifact}`,
      });
    }
  }
  return ok(inputs);
}

/** A step that passed in this run before, while something upstream of it had to run again: it stands if that changed nothing for it. */
function keptWork(run: Run, step: Step, fingerprint: FingerprintRef): StepOutput | undefined {
  const record = run.restorable.get(step.id);
  const same = record?.fingerprint?.work === fingerprint.work && record.fingerprint.gate === fingerprint.gate;
  return same ? record : undefined;
}

/** This run's own work, where only its gates have changed. */
function ownMatch(run: Run, step: Step, fingerprint: FingerprintRef): CacheMatch | undefined {
  const record = run.restorable.get(step.id);
  if (record?.fingerprint?.work !== fingerprint.work) return undefined;
  const { artifacts, changes } = record;
  const from = record.reusedFrom ?? { run: run.context.run, attempt: passedAttempt(record) };
  return { kind: "recheck", found: { ...from, artifacts, ...defined({ changes }) } };
}

function passedAttempt({ attempts }: StepRecord): number {
  return attempts.find(({ status, rolledBack }) => status === "passed" && rolledBack !== true)?.attempt ?? 1;
}

/** Why a step that had passed in this run is worked on after all; told once. */
function reopeningOf(run: Run, step: Step): string | undefined {
  const progress = progressOf(run, step.id);
  if (progress.reopened || run.context.prior.get(step.id)?.status !== "passed") return undefined;
  progress.reopened = true;
  return run.restorable.has(step.id) ? "what it depends on has changed" : "what it left is gone or damaged";
}

/** Equal work is looked for once: an attempt that failed here is not replaced by it. */
function attemptedHere(retries: { readonly work: number; readonly transient: number }): boolean {
  return retries.work + retries.transient > 0;
}
