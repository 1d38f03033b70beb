/** The locks of several runs at once, for work that must not meet a process that executes one of them. */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { stateUnwritable, tryIo } from "../platform/files.ts";
import { type Lock, lockHolder, runLockFile, takeLock } from "./lock-file.ts";

/** Runs that nobody executes until they are released, and those that somebody executes now. */
export interface TakenRuns {
  readonly free: ReadonlySet<string>;
  readonly live: readonly string[];
  release(): Promise<void>;
}

/** Takes the locks of runs, as many as are free; with `look` it only looks at them. Fails with `state-unwritable`. */
export async function takeRuns(stateDir: string, runs: Iterable<string>, clock: Clock, mode: "take" | "look"): Promise<Result<TakenRuns>> {
  const free = new Set<string>();
  const live: string[] = [];
  const locks: Lock[] = [];
  const release = async () => {
    for (const lock of locks.splice(0)) await lock.release();
  };
  for (const run of new Set(runs)) {
    const file = runLockFile(stateDir, run);
    if (mode === "look") {
      if ((await lockHolder(file, clock)) === undefined) free.add(run);
      else live.push(run);
      continue;
    }
    const lock = await takeLock(file, clock);
    if (lock.ok) {
      locks.push(lock.value);
      free.add(run);
    } else if (lock.error.kind === "held") live.push(run);
    else {
      await release();
      return err(stateUnwritable(file, lock.error.problem));
    }
  }
  return ok({ free, live, release });
}

/** When the oldest of the processes that execute a run now took its run, in milliseconds since the epoch; nothing where there is none. */
export async function oldestLive(stateDir: string, clock: Clock): Promise<number | undefined> {
  const directory = path.join(stateDir, "locks");
  const names = await tryIo(() => readdir(directory));
  let oldest: number | undefined;
  for (const name of names.ok ? names.value : []) {
    const file = path.join(directory, name);
    if (!name.startsWith("run-") || (await lockHolder(file, clock)) === undefined) continue;
    const found = await tryIo(() => stat(file));
    if (found.ok) oldest = Math.min(oldest ?? found.value.mtimeMs, found.value.mtimeMs);
  }
  return oldest;
}
