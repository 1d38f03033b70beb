/** The lock for work on state as a whole: cleanup, verification and rebuilding. One at a time. */
import path from "node:path";
import type { Clock } from "../core/ports.ts";
import { err, type Result } from "../core/result.ts";
import { stateUnwritable } from "../platform/files.ts";
import { waitForLock } from "./lock-file.ts";

/** How long to wait for the current holder, in milliseconds. */
const lockTimeoutMs = 10_000;

/**
 * Runs `work` under the lock. Fails with `state-locked` after the timeout. In a read-only directory, `writes` fails
 * with `state-unwritable`, and `reads` runs without the lock.
 */
export async function withMaintenanceLock<T>(
  stateDir: string,
  clock: Clock,
  mode: "reads" | "writes",
  work: () => Promise<Result<T>>,
): Promise<Result<T>> {
  const file = path.join(stateDir, "locks", "tidy");
  const lock = await waitForLock(file, clock, lockTimeoutMs);
  if (!lock.ok) {
    if (lock.error.kind === "refused") return mode === "reads" ? work() : err(stateUnwritable(file, lock.error.problem));
    return err({ reason: "state-locked", path: file, holder: `process ${lock.error.holder.pid} on ${lock.error.holder.host}` });
  }
  try {
    return await work();
  } finally {
    await lock.value.release();
  }
}
