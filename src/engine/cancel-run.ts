/** Signals the process that executes a run to cancel it, and waits for it. Does not write to the run's journal. */
import type { Clock } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import { systemClock } from "../platform/clock.ts";
import { processIdentity, signalProcess } from "../platform/process-identity.ts";
import { lockHolder, runLockFile } from "../store/lock-file.ts";
import type { RunStore } from "./open-project.ts";

/** The process has this long to end its children and to record that it did, in milliseconds. */
const timeoutMs = 10_000;
const pollMs = 50;

/**
 * Cancels a run and returns its record. `latest` is the newest active run. Fails with `run-not-found`; with `usage` if no process executes the
 * run, or if it ended otherwise meanwhile; with `run-active` if its process is on another host, cannot be identified, may not be signalled,
 * or does not end in time.
 */
export async function cancelRun(
  { state, stateDir }: Pick<RunStore, "state" | "stateDir">,
  selector: string,
  clock: Clock = systemClock,
): Promise<Result<RunRecord>> {
  const run = selector === "latest" ? await newestActive(state) : await state.findRun(selector);
  if (!run.ok) return run;
  const { id, status, writer } = run.value;
  if (status !== "running")
    return err({ reason: "usage", message: `run ${id} is not active: it ${endings[status]}`, hint: "`wave status` lists the runs" });
  const active = err({ reason: "run-active", run: id, pid: writer.pid, host: writer.host } as const);
  if (writer.host !== processIdentity().host) return active;
  const file = runLockFile(stateDir, id);
  const signalled = signalProcess(writer, "SIGTERM");
  if (!signalled && (await lockHolder(file, clock)) !== undefined) return active;
  const deadline = clock.monotonic() + timeoutMs;
  while ((await lockHolder(file, clock)) !== undefined) {
    if (clock.monotonic() >= deadline) return active;
    await clock.sleep(pollMs);
  }
  const ended = await state.findRun(id);
  if (!ended.ok) return ended;
  const end = ended.value.status;
  if (end === "cancelled") return ok(ended.value);
  return err({ reason: "usage", message: `run ${id} ${endings[end]} before it could be cancelled` });
}

async function newestActive(state: RunStore["state"]): Promise<Result<RunRecord>> {
  const listed = await state.recentRuns();
  if (!listed.ok) return listed;
  const active = listed.value.find(({ status }) => status === "running");
  if (active === undefined && listed.value.length > 0)
    return err({ reason: "usage", message: "there is no active run to cancel", hint: "`wave status` lists the runs" });
  return state.findRun(active?.id ?? "latest");
}

const endings: Readonly<Record<RunRecord["status"], string>> = {
  pending: "passed so far, and no process executes it",
  running: "is still running",
  passed: "passed",
  failed: "failed",
  cancelled: "was cancelled",
  interrupted: "was interrupted: its process died",
};
