/** How a child's end becomes an attempt's failure: the same for every adapter that starts one. */
import type { Failure } from "../core/failure.ts";
import type { AdapterContext, SpawnOutcome } from "../core/ports.ts";
import { unreachable } from "../core/result.ts";

/** Nothing where it exited: what its status means is for the adapter. `program` is what was to be started. */
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

/** The variables by which a child finds its way. */
export function wayVariables({ workspace, runId: run, step, attempt }: AdapterContext): Record<string, string> {
  return {
    WAVE_TASK_FILE: workspace.paths.taskFile,
    WAVE_INPUTS_DIR: workspace.paths.inputs,
    WAVE_OUTPUT_DIR: workspace.paths.output,
    WAVE_RUN_ID: run,
    WAVE_STEP_ID: step.id,
    WAVE_ATTEMPT: String(attempt),
  };
}
