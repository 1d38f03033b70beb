/** `wave resume --update`: what has changed between the definition that a run has and the one that the project has now. */
import type { PayloadOf } from "../core/event.ts";
import type { Step } from "../core/pipeline.ts";
import { ok, type Result } from "../core/result.ts";
import { pinDefinition } from "./pin-definition.ts";
import type { PlannedRun } from "./plan-run.ts";

/** A step that is not defined as it was. */
export interface StepChange {
  readonly step: string;
  readonly kind: "added" | "removed" | "changed";
  /** With `changed`: the parts of its fingerprint that differ, and `dependencies` where it waits for others. */
  readonly parts: readonly string[];
}

/** Another definition, pinned, and the steps in which it differs. Its files may differ where no step does. */
export interface Redefinition {
  readonly update: NonNullable<PayloadOf<"run-resumed">["update"]>;
  readonly changes: readonly StepChange[];
}

/** Pins the definition that the project has now, and compares. Gives nothing where its files are those that the run has. Fails as the store does. */
export async function redefinition(before: PlannedRun, now: PlannedRun, manifest: string): Promise<Result<Redefinition | undefined>> {
  const update = await pinDefinition(now);
  if (!update.ok) return update;
  if (update.value.manifest === manifest) return ok(undefined);
  const old = new Map(before.plan.pipeline.steps.map((step) => [step.id, step]));
  const changes: StepChange[] = [];
  for (const step of now.plan.pipeline.steps) {
    const earlier = old.get(step.id);
    old.delete(step.id);
    if (earlier === undefined) changes.push({ step: step.id, kind: "added", parts: [] });
    else {
      const parts = differingParts(before, earlier, now, step);
      if (parts.length > 0) changes.push({ step: step.id, kind: "changed", parts });
    }
  }
  for (const id of old.keys()) changes.push({ step: id, kind: "removed", parts: [] });
  return ok({ update: update.value, changes });
}

/** Inputs and changes are left out of both: they are known only once the steps before have run. */
function differingParts(before: PlannedRun, earlier: Step, now: PlannedRun, step: Step): string[] {
  const a = before.fingerprintOf(earlier, {}, undefined).parts;
  const b = now.fingerprintOf(step, {}, undefined).parts;
  const parts = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]).sort();
  const waits = (of: Step) =>
    JSON.stringify([of.dependencies, of.inputs.map(({ name, artifact, from, optional }) => [name, artifact, from, optional])]);
  return waits(earlier) === waits(step) ? parts : [...parts, "dependencies"];
}
