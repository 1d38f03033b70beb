/** The step of a run that a person means. */
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord, StepRecord } from "../core/state.ts";
import { closest } from "../text/suggest.ts";

/** A step by its id. Fails with `usage`, and a guess. */
export function stepOf(run: RunRecord, id: string): Result<StepRecord> {
  const step = run.steps.find((record) => record.id === id);
  return step === undefined ? err(noSuchStep(run, id)) : ok(step);
}

/** The failure for a step that a run does not have; `known` are the steps that it has. */
export function noSuchStep(run: RunRecord, step: string, known: readonly string[] = run.steps.map(({ id }) => id)): Failure {
  const guess = closest(step, known);
  const hint = guess === undefined ? `its steps: ${known.join(", ")}` : `did you mean \`${guess}\`?`;
  return { reason: "usage", message: `run ${run.id} has no step \`${step}\``, hint };
}
