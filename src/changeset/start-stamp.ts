/**
 * The moment after which changes to a project count as made during a run, in the time of its file system. Every change to
 * an inode sets its ctime, which programs cannot choose, so a file with a later ctime was changed after that moment.
 */
import { closeSync, fstatSync, openSync, type Stats, statSync, unlinkSync, writeSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A moment in the time of a file system. */
export interface StartStamp {
  /** Whether an inode may have been changed after the moment. Never false for a changed one. */
  isLater(stats: Pick<Stats, "ctimeMs">): boolean;
}

/** The wall clock and the monotonic clock, both in milliseconds. */
export interface Clocks {
  readonly wall: () => number;
  readonly steady: () => number;
}

const systemClocks: Clocks = { wall: () => Date.now(), steady: () => performance.now() };

/** In milliseconds; longer than a tick of the clock for file times on Linux (10 ms at the coarsest kernel setting). */
const timeoutMs = 50;
/** The system clock was set back if it lost more than this against the monotonic one, in milliseconds. */
const toleranceMs = 20;

/**
 * Records the moment with a file in `directory`, and returns once the clock of the file system has advanced: later changes
 * have a later ctime, and changes before the call do not, even within the same tick. Throws file system errors.
 */
export async function takeStartStamp(root: string, directory: string, { wall, steady }: Clocks = systemClocks): Promise<StartStamp> {
  const place = path.join(directory, "stamp");
  const file = openSync(place, "wx", 0o600);
  try {
    const touch = () => {
      writeSync(file, ".");
      return fstatSync(file);
    };
    const first = touch();
    // A machine that slept has a larger offset afterwards; only setting back the clock reduces it.
    const offset = wall() - steady();
    const deadline = performance.now() + timeoutMs;
    let last = first;
    for (; last.ctimeMs <= first.ctimeMs && performance.now() < deadline; last = touch()) await sleep(1);
    // A coarser file system cannot distinguish changes before and after the stamp: all count as later.
    const latestBefore = last.ctimeMs > first.ctimeMs ? first.ctimeMs : first.ctimeMs - 1;
    // Another device may have its own clock (a network file system).
    const isComparable = statSync(root).dev === first.dev;
    const wasSetBack = () => wall() - steady() < offset - toleranceMs;
    return { isLater: ({ ctimeMs }) => !isComparable || ctimeMs > latestBefore || wasSetBack() };
  } finally {
    closeSync(file);
    unlinkSync(place);
  }
}
