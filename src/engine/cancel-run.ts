/** Asks the process that executes a run to cancel it, and waits until it has: nothing of the run is written here. */
import type { Clock } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import { processIdentity, signalProcess } from "../platform/process-identity.ts";
import { lockHolder, runLockFile } from "../store/lock-file.ts";
import type { RunStore } from "./open-project.ts";

/** How long the process may take to end its children and to write down that it did, in milliseconds. */
const patienceMs = 10_000;
const lookAgainMs = 50;

/**
 * Cancels a run; gives its record once it is cancelled. Fails with `run-not-found`; with `usage` where nobody executes it, or where it
 * ended otherwise meanwhile; with `run-active` where its process is on another host, cannot be told from a stranger, may not be signalled,
 * or does not end in time.
 */
export async function cancelRun(
  { state, stateDir }: Pick<RunStore, "state" | "stateDir">,
  selector: string,
  clock: Clock,
): Promise<Result<RunRecord>> {
  const found = await state.findRun(selector);
  if (!found.ok) return found;
  const { id, status, writer } = found.value;
  if (status !== "running")
    return err({ reason: "usage", message: `run ${id} is not active: it ${endings[status]}`, hint: "`wave status` lists the runs" });
  const active = err({ reason: "run-active", run: id, pid: writer.pid, host: writer.host } as const);
  if (writer.host !== processIdentity().host) return active;
  const file = runLockFile(stateDir, id);
  const signalled = signalProcess(writer, "SIGTERM");
  if (!signalled && (await lockHolder(file, clock)) !== undefined) return active;
  const deadline = clock.monotonic() + patienceMs;
  while ((await lockHolder(file, clock)) !== undefined) {
    if (clock.monotonic() >= deadline) return active;
    await clock.sleep(lookAgainMs);
  }
  const ended = await state.findRun(id);
  if (!ended.ok) return ended;
  const end = ended.value.status;
  if (end === "cancelled") return ok(ended.value);
  return err({ reason: "usage", message: `run ${id} ${endings[end]} before it could be cancelled` });
}

const endings: Readonly<Record<RunRecord["status"], string>> = {
  pending: "has no process that works on it, and passed as far as it went,",
  running: "is still running",
  passed: "passed",
  failed: "failed",
  cancelled: "was cancelled",
  interrupted: "was interrupted: its process died",
};
