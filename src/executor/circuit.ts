/**
 * Circuit breakers: decides from the window of earlier attempts in state whether an attempt may start. Admits one probe at a time
 * through a half-open circuit. Records nothing: the samples are the run's own events.
 */
import { type Digest, digestOfValue } from "../core/digest.ts";
import type { ContractResult, Failure } from "../core/failure.ts";
import type { CircuitBreaker, ContractDefinition, Step } from "../core/pipeline.ts";
import type { Clock, ContractFile, StateStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { BreakerSample } from "../core/state.ts";

export type CircuitOpen = Extract<Failure, { reason: "circuit-open" }>;

/** Whether an attempt may start. `release` ends a probe; call it once the attempt's events are on disk. */
export type Admission =
  | { readonly kind: "admitted"; readonly breakers: readonly string[]; readonly probes: readonly string[]; release(): void }
  | { readonly kind: "refused"; readonly failure: CircuitOpen; readonly breaker: string };

export interface OpenCircuit {
  readonly failure: CircuitOpen;
  readonly breaker: string;
}

export interface CircuitSource {
  readonly state: Pick<StateStore, "breakerWindow">;
  readonly files: ReadonlyMap<string, ContractFile>;
  readonly clock: Clock;
}

export interface Circuits {
  /** Checks every breaker of a step. Waits while another step probes one of them. Fails when state cannot be read. */
  admit(step: Step): Promise<Result<Admission>>;
  /**
   * The circuit that the verdicts of a failed attempt open; the attempt is not retried then. Considers only circuits that it was admitted
   * under, and verdicts that are not in state yet. Undefined if all circuits stay closed. Fails when state cannot be read.
   */
  afterFailure(
    admission: { readonly breakers: readonly string[] },
    step: Step,
    results: readonly ContractResult[],
  ): Promise<Result<OpenCircuit | undefined>>;
}

/** The state of a circuit for the next attempt. */
export type CircuitPosition =
  | { readonly kind: "closed" }
  /** Open long enough that one attempt may probe it. */
  | { readonly kind: "half-open" }
  | { readonly kind: "open"; readonly failed: number; readonly window: number; readonly retryAt: string };

/** Admission without any breaker. */
export const unguarded: Extract<Admission, { kind: "admitted" }> = { kind: "admitted", breakers: [], probes: [], release: () => undefined };

/** The key of the breaker of a contract and a persona. Editing the contract, its schema or the persona changes it. */
export function breakerKey(contract: ContractDefinition, persona: Digest, files: ReadonlyMap<string, ContractFile>): string {
  const { origin: _, ...definition } = contract;
  const schema = contract.type === "json_schema" ? files.get(contract.schema)?.digest : undefined;
  return digestOfValue({ contract: definition, schema, persona });
}

/** `window`: newest sample first. A circuit opens when the share of failures reaches the threshold, and at least one sample failed. */
export function circuitPosition(breaker: CircuitBreaker, window: readonly BreakerSample[], now: number): CircuitPosition {
  const newest = window[0];
  const failed = window.filter((sample) => sample.failed).length;
  const enough = window.length >= breaker.minimumAttempts && failed > 0 && failed / window.length >= breaker.failureThreshold;
  if (newest === undefined || !enough) return { kind: "closed" };
  const retryAt = Date.parse(newest.at) + breaker.resetTimeoutMs;
  if (now >= retryAt) return { kind: "half-open" };
  return { kind: "open", failed, window: window.length, retryAt: new Date(retryAt).toISOString() };
}

/** The breakers of one process. */
export function createCircuits(source: CircuitSource): Circuits {
  const probing = new Map<string, Promise<void>>();
  let probesEnded = 0;
  return {
    afterFailure: ({ breakers }, step, results) => openedBy(source, breakers, step, results),
    async admit(step) {
      for (;;) {
        const before = probesEnded;
        const positions = await readPositions(source, step);
        if (!positions.ok) return positions;
        if (positions.value.kind === "refused") return ok(positions.value);
        const { breakers, probes } = positions.value;
        // A probe that ended during the query may have closed or opened the circuit.
        if (probes.length > 0 && probesEnded !== before) continue;
        const busy = probes.flatMap((key) => probing.get(key) ?? []);
        if (busy.length > 0) {
          await Promise.all(busy);
          continue;
        }
        const end = startProbe(probing, probes);
        const release = () => {
          probesEnded += probes.length;
          end();
        };
        return ok({ kind: "admitted", breakers, probes, release });
      }
    },
  };
}

async function openedBy(
  source: CircuitSource,
  admitted: readonly string[],
  step: Step,
  results: readonly ContractResult[],
): Promise<Result<OpenCircuit | undefined>> {
  const now = source.clock.now();
  for (const contract of step.contracts) {
    const verdict = results.find(({ name }) => name === contract.name)?.verdict;
    if (contract.breaker === undefined || verdict === undefined || verdict === "error") continue;
    const breaker = breakerKey(contract, step.persona.digest, source.files);
    if (!admitted.includes(breaker)) continue;
    const { windowSize } = contract.breaker;
    const earlier = await source.state.breakerWindow(breaker, windowSize);
    if (!earlier.ok) return err(earlier.error);
    const own = { failed: verdict === "fail", at: new Date(now).toISOString() };
    const position = circuitPosition(contract.breaker, [own, ...earlier.value].slice(0, windowSize), now);
    if (position.kind === "open") return ok({ breaker, failure: circuitOpen(contract, step, position) });
  }
  return ok(undefined);
}

function circuitOpen(
  { name }: ContractDefinition,
  { persona }: Step,
  { failed, window, retryAt }: Extract<CircuitPosition, { kind: "open" }>,
): CircuitOpen {
  return { reason: "circuit-open", contract: name, persona: persona.name, failed, window, retryAt };
}

type Positions =
  | { readonly kind: "clear"; readonly breakers: readonly string[]; readonly probes: readonly string[] }
  | Extract<Admission, { kind: "refused" }>;

async function readPositions(source: CircuitSource, step: Step): Promise<Result<Positions>> {
  const breakers: string[] = [];
  const probes: string[] = [];
  for (const contract of step.contracts) {
    if (contract.breaker === undefined) continue;
    const key = breakerKey(contract, step.persona.digest, source.files);
    const window = await source.state.breakerWindow(key, contract.breaker.windowSize);
    if (!window.ok) return err(window.error);
    const position = circuitPosition(contract.breaker, window.value, source.clock.now());
    if (position.kind === "open") return ok({ kind: "refused", failure: circuitOpen(contract, step, position), breaker: key });
    breakers.push(key);
    if (position.kind === "half-open") probes.push(key);
  }
  return ok({ kind: "clear", breakers, probes });
}

function startProbe(probing: Map<string, Promise<void>>, keys: readonly string[]): () => void {
  const { promise, resolve } = withResolvers();
  for (const key of keys) probing.set(key, promise);
  return () => {
    for (const key of keys) probing.delete(key);
    resolve();
  };
}

/** `Promise.withResolvers` is not in Node 20. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
