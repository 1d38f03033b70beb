/** Shared by adapters that start a process: its variables, and the failure for each way it can end. */
import type { Failure } from "../core/failure.ts";
import type { AdapterContext, SpawnOutcome } from "../core/ports.ts";
import { unreachable } from "../core/result.ts";

/** Undefined if the process exited: the adapter interprets the status. `program` is named if it could not be started. */
export function spawnFailure({ signal, log }: AdapterContext, outcome: SpawnOutcome, program: string): Failure | undefined {
  switch (outcome.kind) {
    case "exited":
      return undefined;
    case "killed":
      return { reason: "adapter-crash", signal: outcome.signal, tail: log.tail() };
    case "timed-out":
      return { reason: "timeout", limitMs: outcome.limitMs, tail: log.tail() };
    case "memory-exceeded":
      return { reason: "memory-exceeded", limitBytes: outcome.limitBytes, peakBytes: outcome.peakBytes };
    case "disk-exceeded":
      return { reason: "disk-exceeded", limitBytes: outcome.limitBytes, usedBytes: outcome.usedBytes };
    case "cancelled":
      return { reason: "cancelled", by: String(signal.reason) };
    case "not-started":
      return { reason: "spawn-failed", command: program, code: outcome.code, detail: outcome.detail };
    case "unprepared":
      return outcome.failure;
    default:
      return unreachable(outcome);
  }
}

/** Variables that name the task, the directories and the run of an attempt. */
export function stepVariables({ workspace, step, attempt }: AdapterContext): Record<string, string> {
  return {
    WAVE_TASK_FILE: workspace.paths.taskFile,
    WAVE_INPUTS_DIR: workspace.paths.inputs,
    WAVE_OUTPUT_DIR: workspace.paths.output,
    WAVE_RUN_ID: attempt.runId,
    WAVE_STEP_ID: step.id,
    WAVE_ATTEMPT: String(attempt.number),
  };
}
