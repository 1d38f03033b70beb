/** Whether a run was rolled back as a whole, and what completes a rollback that was interrupted. Pure. */

import { printable } from "../text/printable.ts";
import type { Failure } from "./failure.ts";
import type { RunRecord } from "./state.ts";

/** The run passed, its changes were to be applied, and the project has none of them any more. */
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

/** The failure of what a run with an open rollback refuses; undefined if it has none. */
export function openRollbackFailure(run: Pick<RunRecord, "id" | "openRollback">): Failure | undefined {
  if (run.openRollback === undefined) return undefined;
  const isRunning = run.openRollback.running === true;
  return {
    reason: "usage",
    message: `${isRunning ? "a process is rolling back" : "a rollback was interrupted:"} run ${run.id}, so the project has only part of its changes`,
    hint: isRunning ? "wait until it is done" : `\`wave ${rollbackArgs(run).join(" ")}\` completes the rollback`,
  };
}
