/** The locks of several runs at once, for work that must not overlap with the execution of one of them. */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { stateUnwritable, tryIo } from "../platform/files.ts";
import { type Lock, lockHolder, runLockFile, takeLock } from "./lock-file.ts";

/** `free`: runs that no process executes until `release`. `live`: runs that a process executes now. */
export interface LockedRuns {
  readonly free: ReadonlySet<string>;
  readonly live: readonly string[];
  release(): Promise<void>;
}

/** Takes the locks of all runs that are free; with `check`, only checks them. Fails with `state-unwritable`. */
export async function lockRuns(
  stateDir: string,
  runs: Iterable<string>,
  clock: Clock,
  mode: "lock" | "check",
): Promise<Result<LockedRuns>> {
  const free = new Set<string>();
  const live: string[] = [];
  const locks: Lock[] = [];
  const release = async () => {
    for (const lock of locks.splice(0)) await lock.release();
  };
  for (const run of new Set(runs)) {
    const file = runLockFile(stateDir, run);
    if (mode === "check") {
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

/**
 * The earliest time that a process which is still executing a run locked it, in milliseconds since the epoch; undefined
 * if none is.
 */
export async function oldestExecution(stateDir: string, clock: Clock): Promise<number | undefined> {
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
