/**
 * Decides how to continue with a step that has a slot, without I/O: it cannot start, it has already passed, its attempt
 * may start at once, or the cache or the circuits must be checked first.
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
import { type Admission, unguarded } from "./circuit.ts";
import type { CachedOutput, CacheMatch } from "./context.ts";
import type { RunState, StepOutput } from "./run-state.ts";

/** An attempt that is about to start. */
export interface PendingAttempt {
  readonly step: Step;
  readonly start: AttemptStart;
  readonly admission: Extract<Admission, { kind: "admitted" }>;
  /** The cached result whose contracts are evaluated again, instead of running the persona. */
  readonly rechecked?: CachedOutput;
  /** Why the step's earlier pass in this run no longer counts. */
  readonly reopened?: string;
}

export type StepDecision =
  | { readonly kind: "refused"; readonly failure: Failure; readonly before: readonly EventPayload[] }
  | { readonly kind: "kept"; readonly output: StepOutput }
  | { readonly kind: "start"; readonly pending: PendingAttempt }
  /** The blobs of `match`, or the circuits, must be checked first. */
  | { readonly kind: "check"; readonly pending: PendingAttempt; readonly match?: CacheMatch };

/** Decides about a step that just got a slot. Writes no events. */
export function decideStep(run: RunState, step: Step): StepDecision {
  const { hooks } = run.context;
  const adapter = adapterOf(run, step);
  if (!adapter.ok) return refusal(run, step, adapter.error);
  const inputs = inputsOf(run, step);
  if (!inputs.ok) return refusal(run, step, inputs.error);
  const digests = Object.fromEntries(inputs.value.map((input) => [input.name, input.digest]));
  const fingerprint = hooks.fingerprintOf(step, digests, digestUpstream(run.changes.upstreamOf(step)));
  const output = unchangedOutput(run, step, fingerprint);
  if (output !== undefined) return { kind: "kept", output };
  const { feedback, rejectedCache, attempt, retries } = run.progressOf(step.id);
  const start: AttemptStart = {
    step,
    attempt: attempt + 1,
    adapter: adapter.value,
    fingerprint,
    inputs: inputs.value,
    startFrom: () => run.changes.startOf(step),
    ...defined({ feedback }),
  };
  const reopened = reopeningOf(run, step);
  const pending: PendingAttempt = { step, start, admission: unguarded, ...defined({ reopened }) };
  // A cached result does not replace an attempt that failed in this process.
  const isRetry = retries.work + retries.transient > 0;
  const match = rejectedCache || isRetry ? undefined : (ownResult(run, step, fingerprint) ?? hooks.findCachedResult?.(step, fingerprint));
  if (match !== undefined && match.kind !== "new") return { kind: "check", pending, match };
  const guarded = !isReplayed(step) && step.contracts.some((contract) => contract.breaker !== undefined);
  return guarded ? { kind: "check", pending } : { kind: "start", pending };
}

/** Whether the step replays a recording. Circuits ignore recordings, because they do not show how a persona works now. */
export function isReplayed({ adapter }: Step): boolean {
  return adapter?.name === "replay";
}

/** The events that must be on disk before the attempt starts. */
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

/** The event that a step's earlier pass no longer counts. Empty if there was none. */
export function stepReopened({ step, reopened }: { readonly step: Step; readonly reopened?: string | undefined }): EventPayload[] {
  return reopened === undefined ? [] : [{ type: "step-reopened", step: step.id, because: reopened }];
}

function refusal(run: RunState, step: Step, failure: Failure): StepDecision {
  return { kind: "refused", failure, before: stepReopened({ step, reopened: reopeningOf(run, step) }) };
}

function adapterOf(run: RunState, step: Step): Result<Adapter> {
  const name = step.adapter?.name;
  const adapter = name === undefined ? undefined : run.context.services.adapters.get(name);
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

/** The step's inputs, from the artifacts of passed steps. A missing one is a failure unless it is optional, never an empty input. */
function inputsOf(run: RunState, step: Step): Result<readonly ReadyInput[]> {
  const inputs: ReadyInput[] = [];
  for (const { name, artifact, from, optional } of step.inputs) {
    const ref = from === undefined ? undefined : run.artifacts.get(from)?.find((candidate) => candidate.name === artifact);
    if (from !== undefined && ref !== undefined) {
      inputs.push({ name, mediaType: ref.mediaType, size: ref.size, digest: ref.digest, from });
    } else if (!optional) {
      return err({
        reason: "input-unavailable",
        input: name,
        from: from ?? "",
        detail: `${from ?? "no step"} produced no artifact ${artifact}`,
      });
    }
  }
  return ok(inputs);
}

/** The output of a step that passed earlier in this run, if its fingerprint is still the same after upstream steps ran again. */
function unchangedOutput(run: RunState, step: Step, fingerprint: FingerprintRef): StepOutput | undefined {
  const record = run.restorable(step.id);
  const same = record?.fingerprint?.work === fingerprint.work && record.fingerprint.gate === fingerprint.gate;
  return same ? record : undefined;
}

/** This run's own result, if only the contracts have changed since. */
function ownResult(run: RunState, step: Step, fingerprint: FingerprintRef): CacheMatch | undefined {
  const record = run.restorable(step.id);
  if (record?.fingerprint?.work !== fingerprint.work) return undefined;
  const { artifacts, changes } = record;
  const from = record.reusedFrom ?? { run: run.context.run.runId, attempt: passedAttempt(record) };
  return { kind: "recheck", cached: { ...from, artifacts, ...defined({ changes }) } };
}

function passedAttempt({ attempts }: StepRecord): number {
  return attempts.find(({ status, rolledBack }) => status === "passed" && rolledBack !== true)?.attempt ?? 1;
}

/** Why a step that had passed in this run runs again. Returned once per step. */
function reopeningOf(run: RunState, step: Step): string | undefined {
  const progress = run.progressOf(step.id);
  if (progress.reopened || run.context.run.prior.get(step.id)?.status !== "passed") return undefined;
  progress.reopened = true;
  return run.restorable(step.id) === undefined ? "its output is missing or damaged" : "its dependencies have changed";
}
