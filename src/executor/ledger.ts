/** Sums up what a run has used of its budget, in all attempts of all its processes. Stops nothing. */
import type { Failure } from "../core/failure.ts";
import type { RunBudget } from "../core/pipeline.ts";
import type { StepRecord } from "../core/state.ts";
import { noUsage, tokensOf, totalUsage, type Usage } from "../core/usage.ts";

type BudgetExceeded = Extract<Failure, { reason: "budget-exceeded" }>;

export interface Ledger {
  /** Records what a step's running attempt has used so far. */
  note(step: string, usage: Usage): void;
  /** Records the end of a step's attempt. `usage`: its total. */
  close(step: string, usage: Usage | undefined): void;
  /** Undefined if no limit is exceeded. */
  exceeded(): BudgetExceeded | undefined;
  /** Whether the rest is reserved for steps that are not optional. */
  isScarce(): boolean;
}

/** The used share of a limit from which optional steps are skipped. */
const scarceFrom = 0.8;

/** For runs without a budget. */
const noLedger: Ledger = { note: () => undefined, close: () => undefined, exceeded: () => undefined, isScarce: () => false };

export function openLedger(budget: RunBudget | undefined, prior: ReadonlyMap<string, StepRecord>): Ledger {
  if (budget === undefined) return noLedger;
  let ended = totalUsage([...prior.values()].flatMap(({ attempts }) => attempts.map(({ usage }) => usage))) ?? noUsage;
  const running = new Map<string, Usage>();
  const used = () => {
    const all = totalUsage([ended, ...running.values()]) ?? noUsage;
    return [
      { what: "turns", used: all.turns, limit: budget.maxTurns },
      { what: "tokens", used: tokensOf(all), limit: budget.maxTokens },
      { what: "cost", used: all.costUsd ?? 0, limit: budget.maxCostUsd },
    ] as const;
  };
  return {
    note: (step, usage) => void running.set(step, usage),
    close(step, usage) {
      running.delete(step);
      ended = totalUsage([ended, usage]) ?? noUsage;
    },
    exceeded() {
      for (const { what, used: amount, limit } of used())
        if (limit !== undefined && amount > limit) return { reason: "budget-exceeded", what, limit, used: amount, of: "run" };
      return undefined;
    },
    isScarce: () => used().some(({ used: amount, limit }) => limit !== undefined && amount > 0 && amount >= limit * scarceFrom),
  };
}
