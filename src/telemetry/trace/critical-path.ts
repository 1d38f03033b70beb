/** Computes the critical path of a run, ignoring waits for slots. Pure. */
import { defined } from "../../core/defined.ts";
import { topologicalOrder } from "../../core/graph.ts";

export interface WeighedStep {
  readonly id: string;
  readonly dependencies: readonly string[];
  /** Milliseconds. */
  readonly weight: number;
}

/** The heaviest path along dependencies, first step first; among equal ones, the first in the given order. Without steps of zero weight. */
export function criticalPath(steps: readonly WeighedStep[]): { readonly steps: readonly string[]; readonly durationMs: number } {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const best = new Map<string, { readonly total: number; readonly before?: string }>();
  const ids = steps.map(({ id }) => id);
  let last: string | undefined;
  for (const id of topologicalOrder(ids, (node) => byId.get(node)?.dependencies ?? [])) {
    const step = byId.get(id);
    if (step === undefined) continue;
    const before = heaviest(step.dependencies, best);
    const total = step.weight + (before === undefined ? 0 : (best.get(before)?.total ?? 0));
    best.set(id, { total, ...defined({ before }) });
    if (total > (last === undefined ? 0 : (best.get(last)?.total ?? 0))) last = id;
  }
  const chain: string[] = [];
  for (let id = last; id !== undefined; id = best.get(id)?.before) if ((byId.get(id)?.weight ?? 0) > 0) chain.unshift(id);
  return { steps: chain, durationMs: last === undefined ? 0 : (best.get(last)?.total ?? 0) };
}

function heaviest(ids: readonly string[], best: ReadonlyMap<string, { readonly total: number }>): string | undefined {
  let found: string | undefined;
  for (const id of ids) {
    const total = best.get(id)?.total;
    if (total !== undefined && total > (found === undefined ? 0 : (best.get(found)?.total ?? 0))) found = id;
  }
  return found;
}
