/** What a run has used of its budget: all attempts together, those of earlier processes and those that still run. It decides nothing and stops nothing. */
import type { Failure } from "../core/failure.ts";
import type { RunBudget } from "../core/pipeline.ts";
import type { StepRecord } from "../core/state.ts";
import { noUsage, tokensOf, totalUsage, type Usage } from "../core/usage.ts";

type BudgetExceeded = Extract<Failure, { reason: "budget-exceeded" }>;

export interface Ledger {
  /** What a step's running attempt has used so far. */
  note(step: string, usage: Usage): void;
  /** Its attempt ended, with this in all. */
  close(step: string, usage: Usage | undefined): void;
  /** The limit that is exceeded, if one is. */
  exceeded(): BudgetExceeded | undefined;
  /** Whether so little is left that it is kept for steps that have to be done. */
  isScarce(): boolean;
}

/** From this part of a limit on, what is left is for steps that are not optional. */
const scarceFrom = 0.8;

/** Keeps no account where there is no budget. */
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
