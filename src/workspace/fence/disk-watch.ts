/** Ends a child that fills the disk. It measures allocated blocks, so that a sparse file counts for what it takes. */
import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import type { SpawnOutcome } from "../../model/ports.ts";

/** `bytes` for what is added to all the directories together; `before`: what they held at the start, nothing without it. */
export interface DiskLimit {
  readonly directories: readonly string[];
  readonly bytes: number;
  readonly before?: number;
}

export interface DiskWatch {
  /** Aborted when the limit is exceeded, and when the given signal is. */
  readonly signal: AbortSignal;
  /** The outcome as it really was. Ends the watch. */
  end(outcome: SpawnOutcome): SpawnOutcome;
}

/** The first look comes after this; later ones wait 20 times as long as a look takes, so that the watch costs 5 % at most. */
const firstLookMs = 500;

/** Watches until it is ended; without a limit, or one that cannot be told from what was there, it only passes the signal on. */
export function watchDisk(limit: DiskLimit | undefined, signal: AbortSignal): DiskWatch {
  if (limit === undefined || !Number.isFinite(limit.before ?? 0)) return { signal, end: (outcome) => outcome };
  const control = new AbortController();
  const cancel = () => control.abort(signal.reason);
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  let exceeded: number | undefined;
  let looked = false;
  let timer = setTimeout(look, firstLookMs);
  const added = () => usedBytes(limit.directories) - (limit.before ?? 0);
  function look(): void {
    const began = performance.now();
    looked = true;
    const used = added();
    if (used > (limit?.bytes ?? 0)) {
      exceeded = used;
      control.abort("the disk limit");
    } else timer = setTimeout(look, Math.max(firstLookMs, 20 * (performance.now() - began)));
  }
  return {
    signal: control.signal,
    end(outcome) {
      clearTimeout(timer);
      signal.removeEventListener("abort", cancel);
      // The last bytes may have come after the last look; a child that was gone before the first had no time to write many.
      if (exceeded === undefined && looked && !signal.aborted) {
        const used = added();
        if (used > limit.bytes) exceeded = used;
      }
      return exceeded === undefined || signal.aborted ? outcome : { kind: "disk-exceeded", limitBytes: limit.bytes, usedBytes: exceeded };
    },
  };
}

/** Bytes that directories take on disk. What cannot be read counts as nothing. */
export function usedBytes(directories: readonly string[]): number {
  let sum = 0;
  const open = [...directories];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    try {
      for (const entry of readdirSync(directory, { withFileTypes: true })) {
        const file = path.join(directory, entry.name);
        if (entry.isDirectory()) open.push(file);
        else sum += (lstatSync(file).blocks ?? 0) * 512;
      }
    } catch {
      // Gone, or closed to us.
    }
  }
  return sum;
}
