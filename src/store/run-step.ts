/** Finds a step of a run by its id. */
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord, StepRecord } from "../core/state.ts";
import { closest } from "../text/suggest.ts";

/** Fails with `usage`, and suggests a similar id. */
export function stepOf(run: RunRecord, id: string): Result<StepRecord> {
  const step = run.steps.find((record) => record.id === id);
  return step === undefined ? err(noSuchStep(run, id)) : ok(step);
}

/** The failure for an unknown step; `known` are the steps of the run. */
export function noSuchStep(run: RunRecord, step: string, known: readonly string[] = run.steps.map(({ id }) => id)): Failure {
  const guess = closest(step, known);
  const hint = guess === undefined ? `its steps: ${known.join(", ")}` : `did you mean \`${guess}\`?`;
  return { reason: "usage", message: `run ${run.id} has no step \`${step}\``, hint };
}
