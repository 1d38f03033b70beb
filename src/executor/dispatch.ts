/**
 * Starts steps that may start, and handles the end of each attempt. Appends the events of a step's end together with
 * the starts of the attempts that it makes room for, so a chain of steps costs one fsync per step. No attempt starts
 * before its own event is on disk.
 */
import { defined } from "../core/defined.ts";
import type { EventPayload } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { describeFailure } from "../core/failures.ts";
import type { Step } from "../core/pipeline.ts";
import { ok } from "../core/result.ts";
import { type AttemptEnd, type FailedEnd, runAttempt } from "./attempt.ts";
import { attemptCancelled, attemptFailed, attemptPassed, contractsChecked, type NextAttempt } from "./attempt-events.ts";
import { type CircuitOpen, type Circuits, createCircuits, type OpenCircuit } from "./circuit.ts";
import type { CacheMatch } from "./context.ts";
import { attemptStarted, decideStep, type PendingAttempt, type StepDecision, stepReopened } from "./decide-step.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { retryDecision, withJitter } from "./retry.ts";
import type { RunState } from "./run-state.ts";
import { blobsVerify } from "./verified-blobs.ts";

export class Dispatcher {
  readonly #run: RunState;
  readonly #circuits: Circuits;
  readonly #ledger: Ledger;
  /** Breakers whose `circuit-opened` is written. */
  readonly #openedBreakers = new Set<string>();
  #pending = 0;
  #onIdle: () => void = () => undefined;
  #bug: { readonly thrown: unknown } | undefined;
  #budgetFailure: Failure | undefined;
  #hasIsolatedAttempts = false;

  constructor(run: RunState) {
    const { plan, run: inputs, services } = run.context;
    this.#run = run;
    this.#circuits = createCircuits({ state: services.state, clock: services.clock, files: inputs.contractFiles });
    this.#ledger = openLedger(plan.pipeline.budget, inputs.prior);
  }

  /** An error that was thrown, which is a bug. */
  get bug(): { readonly thrown: unknown } | undefined {
    return this.#bug;
  }

  /** The limit of the run as a whole that ended it. */
  get budgetFailure(): Failure | undefined {
    return this.#budgetFailure;
  }

  /** Whether an attempt in a workspace of its own has started. */
  get hasIsolatedAttempts(): boolean {
    return this.#hasIsolatedAttempts;
  }

  /** Resolves when no tracked work is pending any more. Call it before the first `track`. */
  untilIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Counts work as pending until it ends. An error that it throws is kept, and stops everything else. */
  track(work: Promise<void>): void {
    this.#pending += 1;
    work
      .catch((thrown: unknown) => {
        this.#bug ??= { thrown };
        this.#run.stop("a bug in wave");
      })
      .finally(() => {
        this.#pending -= 1;
        if (this.#pending === 0) this.#onIdle();
      });
  }

  /** Appends events together with the starts that are possible now, then starts them. */
  async advance(payloads: readonly EventPayload[]): Promise<void> {
    const run = this.#run;
    if (run.fatalError !== undefined) return;
    const batch = [...payloads, ...(this.#ledger.isScarce() ? run.skipOptional() : [])];
    const starting: PendingAttempt[] = [];
    const checking: Extract<StepDecision, { kind: "check" }>[] = [];
    for (let planned = run.takeNext(); planned !== undefined; planned = run.takeNext()) {
      const { step } = planned;
      const decision = decideStep(run, step);
      run.removeRestorable(step.id);
      if (decision.kind === "refused") batch.push(...decision.before, ...run.endFailed(step, decision.failure));
      else if (decision.kind === "kept") run.keepPassed(step, decision.output);
      else if (decision.kind === "check") checking.push(decision);
      else {
        batch.push(...attemptStarted(decision.pending));
        starting.push(decision.pending);
      }
    }
    if (!(await run.append(batch))) return;
    for (const pending of starting) this.track(this.#attempt(pending));
    for (const { pending, match } of checking) this.track(this.#checkReuse(pending, match));
  }

  /** Ends the run when its budget is exceeded: stops running steps and starts no others. */
  stopIfExhausted(failure: Failure | undefined = this.#ledger.exceeded()): void {
    if (failure === undefined || this.#budgetFailure !== undefined || this.#run.openSteps === 0) return;
    this.#budgetFailure = failure;
    this.track(this.advance(this.#run.stopForBudget(describeFailure(failure).title)));
  }

  /** Runs an attempt whose start is on disk, and handles its end. */
  async #attempt(pending: PendingAttempt): Promise<void> {
    try {
      const run = this.#run;
      const { step, start } = pending;
      run.progressOf(step.id).attempt = start.attempt;
      if (step.workspace !== "shared") this.#hasIsolatedAttempts = true;
      const end = await runAttempt(run.context, start, run.stopSignal, (usage) => {
        this.#ledger.note(step.id, usage);
        run.context.hooks.onUsage?.({ step: step.id, attempt: start.attempt, usage });
        this.stopIfExhausted();
      });
      this.#ledger.close(step.id, end.usage);
      this.stopIfExhausted();
      const opened = end.status === "failed" ? await this.#circuits.afterFailure(pending.admission, step, end.results) : ok(undefined);
      if (!opened.ok) return run.abort(opened.error);
      // The schedule advances and its events are appended without a wait between them.
      await this.advance(this.#attemptEnded(pending, end, opened.value));
    } finally {
      pending.admission.release();
    }
  }

  /** Checks whether the cached result can be reused, then whether the circuits admit an attempt. */
  async #checkReuse(pending: PendingAttempt, match: CacheMatch | undefined): Promise<void> {
    const run = this.#run;
    const { step } = pending;
    if (match !== undefined && (await this.#isReusable(step, match))) {
      const { cached } = match;
      if (run.stopSignal.aborted) return this.advance(run.endCancelled(step));
      if (match.kind === "equal" || step.contracts.length === 0) return this.advance(this.#reuse(pending, match));
      const start = { ...pending.start, stored: cached, startFrom: () => run.changes.startWithCached(step, cached) };
      return this.#startAttempt({ ...pending, start, rechecked: cached });
    }
    const admission = await this.#circuits.admit(step);
    if (!admission.ok) return run.abort(admission.error);
    if (admission.value.kind === "admitted") return this.#startAttempt({ ...pending, admission: admission.value });
    if (run.stopSignal.aborted) return this.advance(run.endCancelled(step));
    const { breaker, failure } = admission.value;
    return this.advance([...stepReopened(pending), ...this.#circuitOpened(step, failure, breaker), ...run.endFailed(step, failure)]);
  }

  /** Whether a cached result's blobs verify, and the project still matches the fingerprints. */
  async #isReusable(step: Step, { cached }: CacheMatch): Promise<boolean> {
    const { hooks, services } = this.#run.context;
    if ((await hooks.projectUnchanged?.()) === false) return false;
    return (await blobsVerify(services.blobs, cached.artifacts)) && this.#run.changes.canReuse(step, cached);
  }

  #reuse(pending: PendingAttempt, { cached }: CacheMatch): EventPayload[] {
    const { step } = pending;
    const { fingerprint } = pending.start;
    const { run, attempt, artifacts, changes } = cached;
    const reused: EventPayload = {
      type: "step-reused",
      step: step.id,
      from: { run, attempt },
      fingerprint,
      artifacts: [...artifacts],
      ...defined({ changes }),
    };
    return [...stepReopened(pending), reused, ...this.#run.endPassed(step, cached)];
  }

  async #startAttempt(pending: PendingAttempt): Promise<void> {
    if (this.#run.stopSignal.aborted) {
      pending.admission.release();
      return this.advance(this.#run.endCancelled(pending.step));
    }
    if (await this.#run.append(attemptStarted(pending))) return this.#attempt(pending);
    pending.admission.release();
  }

  /** The event of an open circuit, once per run. */
  #circuitOpened(step: Step, { contract, failed, window }: CircuitOpen, breaker: string): EventPayload[] {
    if (this.#openedBreakers.has(breaker)) return [];
    this.#openedBreakers.add(breaker);
    return [{ type: "circuit-opened", step: step.id, contract, breaker, failed, window }];
  }

  /** Advances the schedule after an attempt and returns the events. `opened`: the circuit that this failure opened. */
  #attemptEnded(pending: PendingAttempt, end: AttemptEnd, opened: OpenCircuit | undefined): EventPayload[] {
    const run = this.#run;
    const { step, start } = pending;
    if (end.status === "cancelled") return [attemptCancelled(pending, end), ...run.endCancelled(step, start.attempt)];
    const checked = contractsChecked(run.context.run.contractFiles, pending, end);
    if (end.status === "passed") return [...checked, ...attemptPassed(pending, end), ...run.endPassed(step, end, start.attempt)];
    const next = this.#nextAttempt(pending, end);
    if (next === undefined) return [...checked, attemptFailed(pending, end), ...run.endFailed(step, end.failure, start.attempt)];
    if (run.stopSignal.aborted) return [...checked, attemptFailed(pending, end), ...run.endCancelled(step, start.attempt)];
    if (opened !== undefined) {
      const { failure, breaker } = opened;
      return [...checked, attemptFailed(pending, end), ...this.#circuitOpened(step, failure, breaker), ...run.endFailed(step, failure)];
    }
    const { failure, tail } = end;
    run.progressOf(step.id).feedback = { attempt: start.attempt, failure, ...defined({ tail }) };
    run.pause(step);
    if (next.delayMs === 0) run.requeue(step);
    else this.track(this.#retryAfter(step, next.delayMs));
    return [...checked, attemptFailed(pending, end, next)];
  }

  /** The next attempt, which is charged to its retry budget. A cached result that a contract rejects costs no retry. */
  #nextAttempt(pending: PendingAttempt, end: FailedEnd): NextAttempt | undefined {
    const { step, start } = pending;
    const progress = this.#run.progressOf(step.id);
    if (pending.rechecked !== undefined && end.failure.reason === "contract-failed") {
      progress.rejectedCache = true;
      return { attempt: start.attempt + 1, delayMs: 0 };
    }
    const decision = retryDecision(end.failure, step, progress.retries);
    if (!decision.retry) return undefined;
    progress.retries = { ...progress.retries, [decision.budget]: progress.retries[decision.budget] + 1 };
    return { attempt: start.attempt + 1, delayMs: withJitter(decision, this.#run.context.services.random) };
  }

  /** The step holds no slot while it waits. */
  async #retryAfter(step: Step, delayMs: number): Promise<void> {
    await this.#run.context.services.clock.sleep(delayMs, this.#run.stopSignal);
    this.#run.requeue(step);
    await this.advance([]);
  }
}
