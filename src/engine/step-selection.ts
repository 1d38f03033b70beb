/**
 * A part of a run: the steps that one process was asked for, and what of the rest it needs. Several processes may each execute a part of
 * one run, on one machine after the other or side by side on several.
 */

import { upstreamIds } from "../changeset/upstream-changes.ts";
import { defined } from "../core/defined.ts";
import type { Failure } from "../core/failure.ts";
import type { Plan } from "../core/plan.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { StepRecord } from "../core/state.ts";
import { closest } from "../text/suggest.ts";

/** The failure for a part that names a step which the pipeline does not have. */
export function unknownPart({ pipeline }: Pick<Plan, "pipeline">, part: readonly string[] | undefined): Failure | undefined {
  const ids = pipeline.steps.map(({ id }) => id);
  const unknown = part?.find((id) => !ids.includes(id));
  if (unknown === undefined) return undefined;
  const guess = closest(unknown, ids);
  const hint = guess === undefined ? `its steps: ${ids.join(", ")}` : `did you mean \`${guess}\`?`;
  return { reason: "usage", message: `pipeline \`${pipeline.name}\` has no step \`${unknown}\``, hint };
}

/**
 * The plan of a part: its steps, and those that passed in this run before with all that they build on. Fails with `usage` where the pipeline has no such
 * step, and with `dependency-open` where a
 * step of the part waits for one that is in neither; one that may fail, and did, is no hindrance.
 */
export function selectSteps(
  plan: Plan,
  part: readonly string[] | undefined,
  prior: ReadonlyMap<string, StepRecord>,
  run?: string,
): Result<Plan> {
  if (part === undefined) return ok(plan);
  const unknown = unknownPart(plan, part);
  if (unknown !== undefined) return err(unknown);
  const wanted = new Set(part);
  const kept = new Set<string>();
  // Dependencies come before what depends on them.
  for (const { step } of plan.steps) {
    const missing = upstreamIds(step).find((id) => !kept.has(id) && !failedAsItMay(id));
    if (wanted.has(step.id) && missing !== undefined) {
      return err({ reason: "dependency-open", ...defined({ run }), step: step.id, dependency: missing });
    }
    if (missing === undefined && (wanted.has(step.id) || prior.get(step.id)?.status === "passed")) kept.add(step.id);
  }
  return ok({ ...plan, steps: plan.steps.filter(({ step }) => kept.has(step.id)) });

  function failedAsItMay(id: string): boolean {
    const record = prior.get(id);
    return record?.optional === true && record.status === "failed";
  }
}
