/**
 * Selects the steps of a run that one process executes (`--steps`). Several processes may execute different steps of one run, one after
 * the other or in parallel on several machines.
 */

import { upstreamIds } from "../changeset/upstream-changes.ts";
import { defined } from "../core/defined.ts";
import type { Failure } from "../core/failure.ts";
import type { Plan } from "../core/plan.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { StepRecord } from "../core/state.ts";
import { closest } from "../text/suggest.ts";

/** The failure of a selection with a step that the pipeline does not have. */
export function unknownPart({ pipeline }: Pick<Plan, "pipeline">, selected: readonly string[] | undefined): Failure | undefined {
  const ids = pipeline.steps.map(({ id }) => id);
  const unknown = selected?.find((id) => !ids.includes(id));
  if (unknown === undefined) return undefined;
  const guess = closest(unknown, ids);
  const hint = guess === undefined ? `its steps: ${ids.join(", ")}` : `did you mean \`${guess}\`?`;
  return { reason: "usage", message: `pipeline \`${pipeline.name}\` has no step \`${unknown}\``, hint };
}

/**
 * Narrows a plan to the selected steps, and to the steps that passed in this run with everything they build on. Fails with `usage` for an
 * unknown step, and with `dependency-open` if a selected step depends on one that is neither selected nor passed; an optional step that
 * failed counts as passed.
 */
export function selectSteps(
  plan: Plan,
  selected: readonly string[] | undefined,
  prior: ReadonlyMap<string, StepRecord>,
  runId?: string,
): Result<Plan> {
  if (selected === undefined) return ok(plan);
  const unknown = unknownPart(plan, selected);
  if (unknown !== undefined) return err(unknown);
  const wanted = new Set(selected);
  const kept = new Set<string>();
  // The plan lists dependencies before dependents.
  for (const { step } of plan.steps) {
    const missing = upstreamIds(step).find((id) => !kept.has(id) && !failedAsOptional(id));
    if (wanted.has(step.id) && missing !== undefined) {
      return err({ reason: "dependency-open", ...defined({ run: runId }), step: step.id, dependency: missing });
    }
    if (missing === undefined && (wanted.has(step.id) || prior.get(step.id)?.status === "passed")) kept.add(step.id);
  }
  return ok({ ...plan, steps: plan.steps.filter(({ step }) => kept.has(step.id)) });

  function failedAsOptional(id: string): boolean {
    const record = prior.get(id);
    return record?.optional === true && record.status === "failed";
  }
}
