/** A journal in memory that checks every event against the catalogue, and the breaker windows that follow from it. */
import { Value } from "typebox/value";
import type { EventPayload, WaveEvent } from "../../src/core/event.ts";
import { eventSchemas } from "../../src/core/event-schemas.ts";
import type { Failure } from "../../src/core/failure.ts";
import type { Clock, Journal, StateStore } from "../../src/core/ports.ts";
import { err, ok } from "../../src/core/result.ts";
import type { BreakerSample } from "../../src/core/state.ts";

export interface MemoryJournal extends Journal {
  /** Events on disk, as it were. */
  readonly events: readonly WaveEvent[];
  /** One list an append call. */
  readonly batches: readonly (readonly EventPayload[])[];
}

/** `breakAt`: from which append call on (from 0) the disk is full. */
export function memoryJournal(clock: Clock, options: { readonly breakAt?: number } = {}): MemoryJournal {
  const events: WaveEvent[] = [];
  const batches: (readonly EventPayload[])[] = [];
  const zeros = "0".repeat(64);
  return {
    runId: "run1",
    writer: "writer1",
    events,
    batches,
    async append(payloads) {
      for (const payload of payloads) checkPayload(payload);
      const broken = batches.length >= (options.breakAt ?? Number.POSITIVE_INFINITY);
      batches.push(payloads);
      // The disk answers later, never in the same turn.
      await new Promise((resolve) => setImmediate(resolve));
      if (broken) return err(diskFull);
      const ts = new Date(clock.now()).toISOString();
      const written = payloads.map((payload, index): WaveEvent => {
        const seq = events.length + index + 1;
        return { ...payload, v: 2, run: "run1", writer: "writer1", seq, clock: seq, ts, prev: zeros, hash: zeros };
      });
      events.push(...written);
      return ok(written);
    },
    close: async () => ok(undefined),
  };
}

export const diskFull: Failure = { reason: "state-unwritable", path: "journal.jsonl", code: "ENOSPC", detail: "no space left on device" };

/** Breaker windows, folded from a journal's events after what earlier runs left. Also counts how often it is asked. */
export function memoryBreakers(
  journal: MemoryJournal,
  earlier: readonly BreakerSample[] = [],
): Pick<StateStore, "breakerWindow"> & { asked: number } {
  const store = {
    asked: 0,
    async breakerWindow(breaker: string, size: number) {
      store.asked += 1;
      let samples: BreakerSample[] = [...earlier];
      for (const event of journal.events) {
        if (event.type === "circuit-reset" && event.breaker === breaker) samples = [];
        if (event.type !== "contract-checked" || event.breaker !== breaker || event.result.verdict === "error") continue;
        samples.unshift({ failed: event.result.verdict === "fail", at: event.ts });
      }
      return ok(samples.slice(0, size));
    },
  };
  return store;
}

function checkPayload(payload: EventPayload): void {
  const { type, ...body } = payload;
  for (const problem of Value.Errors(eventSchemas[type], body)) throw new Error(`${type}: ${problem.instancePath} ${problem.message}`);
}
