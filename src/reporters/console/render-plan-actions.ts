/** The actions of commands on each planned step, shared by all plan formats. Pure. */
import type { EnforcementLevel } from "../../core/enforcement.ts";
import type { Plan, PlannedStep } from "../../core/plan.ts";
import { printable } from "../../text/printable.ts";

/**
 * `run`: the persona runs. `reuse`: a cached result is used. `recheck`: only the contracts are evaluated, on a cached result. `later`: decided
 * once other steps have ended. `blocked`: it cannot start.
 */
export type PlanAction = "run" | "reuse" | "recheck" | "later" | "blocked";

/** The actions of `wave run`, `wave run --reuse` and `wave resume`. For `resume`, `reuse` keeps the result of the run named under `work`. */
export interface PlanActions {
  readonly run: PlanAction;
  readonly reuse: PlanAction;
  readonly resume: PlanAction;
}

/** The actions on one step. Plain `wave run` also reuses a step with `reuse: true`. */
export function actionsOf({ step, work, blocked }: PlannedStep): PlanActions {
  const unlessBlocked = (action: PlanAction): PlanAction => (blocked !== undefined && action !== "reuse" ? "blocked" : action);
  const reuse = unlessBlocked(reuseActions[work.kind]);
  const passed = work.kind === "equal" || work.kind === "recheck";
  return { run: step.reuse ? reuse : unlessBlocked("run"), reuse, resume: unlessBlocked(passed ? "reuse" : "run") };
}

/** The number of steps per action of one command. */
export function countActions(plan: Plan, command: keyof PlanActions): Readonly<Record<PlanAction, number>> {
  const counts = { run: 0, reuse: 0, recheck: 0, later: 0, blocked: 0 };
  for (const planned of plan.steps) counts[actionsOf(planned)[command]]++;
  return counts;
}

/** An enforcement level as text. */
export function levelText(level: EnforcementLevel): string {
  switch (level) {
    case "sandbox":
      return "enforced by the sandbox";
    case "verified":
      return "verified afterwards";
    case "agent":
      return "left to the agent";
    case "none":
      return "not enforced";
  }
}

/** Permission rules that nothing enforces, each with the steps that have it. */
export interface UnenforcedRules {
  /** Denied files or network of steps without `sandbox: off`. The run is refused. */
  readonly refused: ReadonlyMap<string, readonly string[]>;
  /** All others. The run starts, and the rule has no effect. */
  readonly exposed: ReadonlyMap<string, readonly string[]>;
}

/** The unenforced rules of a plan. */
export function unenforcedRules(plan: Plan): UnenforcedRules {
  const refused = new Map<string, string[]>();
  const exposed = new Map<string, string[]>();
  for (const { step, enforcement } of plan.steps) {
    for (const { rule, kind, level } of enforcement) {
      if (level !== "none") continue;
      const isRefused = kind === "deny" && step.sandbox === "on" && !rule.startsWith("command:");
      const group = isRefused ? refused : exposed;
      const key = `${kind} ${rule}`;
      const steps = group.get(key);
      if (steps === undefined) group.set(key, [step.id]);
      else steps.push(step.id);
    }
  }
  return { refused, exposed };
}

const reuseActions = { equal: "reuse", recheck: "recheck", new: "run", unknown: "later" } as const;

/** One indented line per rule, with the steps that have it. */
export function ruleLines(rules: ReadonlyMap<string, readonly string[]>): string[] {
  return [...rules].map(([rule, steps]) => `  ${printable(rule)}  in ${list(steps)}`);
}

const listLimit = 5;

/** The first five names, separated by commas, and the number of others. */
export function list(names: readonly string[]): string {
  const shown = names.slice(0, listLimit).map(printable).join(", ");
  return names.length > listLimit ? `${shown} and ${names.length - listLimit} more` : shown;
}
