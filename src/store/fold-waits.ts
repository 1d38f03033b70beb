/** How long attempts could have run before they began: folded beside a run's events, and kept with each attempt. */
import type { EventOf, WaveEvent } from "../core/event.ts";

/** What waits are told from. Times are milliseconds since the epoch. */
export interface WaitsDraft {
  /** Writer → when it began, or went on with, the run. */
  readonly working: Map<string, number>;
  /** Step → when it ended last. */
  readonly settled: Map<string, number>;
  /** Step, writer and attempt → when a retry was due. */
  readonly due: Map<string, number>;
}

export function waitsDraft(): WaitsDraft {
  return { working: new Map(), settled: new Map(), due: new Map() };
}

/** Takes note of an event, in reading order. */
export function followWaits({ working, settled, due }: WaitsDraft, event: WaveEvent): void {
  const at = Date.parse(event.ts);
  switch (event.type) {
    case "run-started":
    case "run-resumed":
      working.set(event.writer, at);
      return;
    case "attempt-passed":
    case "step-finished":
    case "step-reused":
      settled.set(event.step, at);
      return;
    case "attempt-failed":
      if (event.retry !== undefined) due.set(keyOf(event.step, event.writer, event.retry.attempt), at + event.retry.delayMs);
      return;
    default:
      return;
  }
}

/** Milliseconds since its process was at work and everything upstream had ended; of a retry, since it was due. */
export function waitOf(waits: WaitsDraft, event: EventOf<"attempt-started">, dependencies: readonly string[]): number {
  const upstream = [...dependencies, ...event.inputs.map(({ from }) => from)].map((step) => waits.settled.get(step) ?? 0);
  const ready =
    waits.due.get(keyOf(event.step, event.writer, event.attempt)) ?? Math.max(waits.working.get(event.writer) ?? 0, ...upstream);
  return ready === 0 ? 0 : Math.max(0, Date.parse(event.ts) - ready);
}

function keyOf(step: string, writer: string, attempt: number): string {
  return JSON.stringify([step, writer, attempt]);
}
