/** The lock of whoever looks at state as a whole or takes parts of it away: a cleanup, a verification, a rebuilding. One at a time. */
import path from "node:path";
import type { Clock } from "../core/ports.ts";
import { err, type Result } from "../core/result.ts";
import { stateUnwritable } from "../platform/files.ts";
import { waitForLock } from "./lock-file.ts";

/** How long another one may take, in milliseconds. */
const patienceMs = 10_000;

/**
 * Does work while no other such work is done. Fails with `state-locked` when another takes too long, and where the directory takes no files
 * with `state-unwritable`, or not at all for work that only reads.
 */
export async function withMaintenanceLock<T>(
  stateDir: string,
  clock: Clock,
  mode: "reads" | "writes",
  work: () => Promise<Result<T>>,
): Promise<Result<T>> {
  const file = path.join(stateDir, "locks", "tidy");
  const lock = await waitForLock(file, clock, patienceMs);
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
