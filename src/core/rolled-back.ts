/** Detects runs that were rolled back as a whole, and names the command that completes an interrupted rollback. Pure. */

import { printable } from "../text/printable.ts";
import type { Failure } from "./failure.ts";
import type { RunRecord } from "./state.ts";

/** The run passed, its changes were to be applied, and the project no longer has any of them. */
export function isRolledBack({
  status,
  changes,
  inProject,
  options,
}: Pick<RunRecord, "status" | "changes" | "inProject" | "options">): boolean {
  return status === "passed" && changes !== undefined && inProject === undefined && options.apply !== false;
}

/** The arguments of the command that completes the open rollback of a run. */
export function rollbackArgs({ id, openRollback }: Pick<RunRecord, "id" | "openRollback">): string[] {
  const to = openRollback?.to;
  return ["rollback", id, ...(to === undefined ? [] : ["--to", printable(to)]), "--yes"];
}

/** The failure for a command that refuses a run with an open rollback; undefined if there is none. */
export function openRollbackFailure(run: Pick<RunRecord, "id" | "openRollback">): Failure | undefined {
  if (run.openRollback === undefined) return undefined;
  const isRunning = run.openRollback.running === true;
  return {
    reason: "usage",
    message: `${isRunning ? "a process is rolling back" : "a rollback was interrupted:"} run ${run.id}, so the project has only part of its changes`,
    hint: isRunning ? "wait until it is done" : `\`wave ${rollbackArgs(run).join(" ")}\` completes the rollback`,
  };
}
