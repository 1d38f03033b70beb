/** Finds the steps of a plan that could not start now, because of an open circuit or a blocked dependency. */

import type { Plan, PlannedBlock } from "../core/plan.ts";
import type { Clock, ContractFile, StateStore } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { breakerKey, circuitPosition } from "../executor/circuit.ts";
import { systemClock } from "../platform/clock.ts";

export interface BlockSource {
  readonly state: Pick<StateStore, "breakerWindow">;
  readonly files: ReadonlyMap<string, ContractFile>;
  /** Defaults to the system's. */
  readonly clock?: Clock;
}

/** Returns the plan with the reason at each blocked step. Fails when state cannot be read. */
export async function withBlocks(plan: Plan, source: BlockSource): Promise<Result<Plan>> {
  const blocks = new Map<string, PlannedBlock>();
  for (const { step, work } of plan.steps) {
    const open = await openCircuit(step, source);
    if (!open.ok) return open;
    const behind = step.dependencies.filter((id) => blocks.has(id));
    // A reused step starts no attempt, so a blocked dependency does not block it.
    if (open.value !== undefined) blocks.set(step.id, open.value);
    else if (behind.length > 0 && work.kind !== "equal") blocks.set(step.id, { kind: "upstream", steps: behind });
  }
  if (blocks.size === 0) return ok(plan);
  const steps = plan.steps.map((planned) => {
    const blocked = blocks.get(planned.step.id);
    return blocked === undefined ? planned : { ...planned, blocked };
  });
  return ok({ ...plan, steps });
}

async function openCircuit(
  step: Plan["steps"][number]["step"],
  { state, files, clock = systemClock }: BlockSource,
): Promise<Result<PlannedBlock | undefined>> {
  for (const contract of step.contracts) {
    if (contract.breaker === undefined) continue;
    const window = await state.breakerWindow(breakerKey(contract, step.persona.digest, files), contract.breaker.windowSize);
    if (!window.ok) return window;
    const position = circuitPosition(contract.breaker, window.value, clock.now());
    if (position.kind !== "open") continue;
    const { failed, window: size, retryAt } = position;
    return ok({ kind: "circuit", contract: contract.name, failed, window: size, retryAt });
  }
  return ok(undefined);
}
