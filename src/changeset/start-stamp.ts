/**
 * The moment from which changes to a project count as made during a run, in the time of its file system. Every change to an inode sets its ctime,
 * which no program can choose, so a file whose ctime is later was changed after that moment.
 */
import { closeSync, fstatSync, openSync, type Stats, statSync, unlinkSync, writeSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A moment in the time of a file system. */
export interface StartStamp {
  /** Whether an inode may have been changed after the moment. Never false for one that was. */
  isLater(stats: Pick<Stats, "ctimeMs">): boolean;
}

/** The wall clock and the steady one, both in milliseconds. */
export interface Clocks {
  readonly wall: () => number;
  readonly steady: () => number;
}

const systemClocks: Clocks = { wall: () => Date.now(), steady: () => performance.now() };

/** Longer than a tick of the clock by which Linux stamps files (10 ms at the coarsest kernel setting). */
const patienceMs = 50;
/** The system clock was set back if it lost more than this against the steady one, in milliseconds. */
const toleranceMs = 20;

/**
 * Takes the moment with a file in `directory`, and returns once the clock of the file system has moved on: what is changed from then on has a later
 * ctime, and what was changed before the call has not, even within the same tick. Throws the file system's errors.
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
    // A machine that slept has a larger offset afterwards; only a clock that was set back has a smaller one.
    const offset = wall() - steady();
    const deadline = performance.now() + patienceMs;
    let last = first;
    for (; last.ctimeMs <= first.ctimeMs && performance.now() < deadline; last = touch()) await sleep(1);
    // A file system with coarser times cannot tell changes before the stamp from changes after it: both count as later.
    const latestBefore = last.ctimeMs > first.ctimeMs ? first.ctimeMs : first.ctimeMs - 1;
    // Another device may have a clock of its own (a network file system).
    const isComparable = statSync(root).dev === first.dev;
    const wasSetBack = () => wall() - steady() < offset - toleranceMs;
    return { isLater: ({ ctimeMs }) => !isComparable || ctimeMs > latestBefore || wasSetBack() };
  } finally {
    closeSync(file);
    unlinkSync(place);
  }
}
