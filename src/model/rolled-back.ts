/** Whether a run was rolled back as a whole. Pure. */
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
