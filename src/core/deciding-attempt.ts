/** Finds the attempt that decides a step's result. Pure. */
import type { AttemptRecord, StepRecord } from "./state.ts";

/** The newest passed attempt that was not rolled back, else the last attempt. Undefined if the step has none. */
export function decidingAttempt({ attempts }: Pick<StepRecord, "attempts">): AttemptRecord | undefined {
  return attempts.findLast(({ status, rolledBack }) => status === "passed" && rolledBack !== true) ?? attempts.at(-1);
}
