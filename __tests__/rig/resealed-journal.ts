/** A journal that was changed by someone who recomputed its hashes. */
import type { WaveEvent } from "../../src/core/event.ts";
import { sealEvent } from "../../src/store/journal-line.ts";

/** The journal of one writer with another time in each line, and correct hashes. */
export function resealed(events: readonly WaveEvent[]): string {
  let prev = "0".repeat(64);
  return events
    .map(({ v, run, writer, seq, clock, ts: _ts, prev: _prev, hash: _hash, ...payload }) => {
      const { event, line } = sealEvent(
        { v, run, writer, seq, clock, ts: "2020-01-01T00:00:00.000Z", prev },
        payload.type === "writer-closed" ? { ...payload, head: prev } : payload,
      );
      prev = event.hash;
      return line;
    })
    .join("");
}
