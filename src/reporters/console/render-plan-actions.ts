/** What commands would do about each planned step, in the words that all plan formats share. */
import type { EnforcementLevel } from "../../core/enforcement.ts";
import type { Plan, PlannedStep } from "../../core/plan.ts";
import { printable } from "../../text/printable.ts";

/** `run`: its persona works. `reuse`: earlier work stands for it. `recheck`: only its contracts are evaluated, on earlier work. `later`: known once other steps have run. `blocked`: it could not begin. */
export type PlanAction = "run" | "reuse" | "recheck" | "later" | "blocked";

/** What `wave run`, `wave run --reuse` and `wave resume` would do. `resume` keeps (`reuse`) what passed in the run that is resumed: the one named under `work`. */
export interface PlanActions {
  readonly run: PlanAction;
  readonly reuse: PlanAction;
  readonly resume: PlanAction;
}

/** The actions on one step. A step with `reuse: true` is reused by a plain `run` too. */
export function actionsOf({ step, work, blocked }: PlannedStep): PlanActions {
  const able = (action: PlanAction): PlanAction => (blocked !== undefined && action !== "reuse" ? "blocked" : action);
  const reuse = able(reuseActions[work.kind]);
  const passed = work.kind === "equal" || work.kind === "recheck";
  return { run: step.reuse ? reuse : able("run"), reuse, resume: able(passed ? "reuse" : "run") };
}

/** How many steps meet each action of one command. */
export function countActions(plan: Plan, command: keyof PlanActions): Readonly<Record<PlanAction, number>> {
  const counts = { run: 0, reuse: 0, recheck: 0, later: 0, blocked: 0 };
  for (const planned of plan.steps) counts[actionsOf(planned)[command]]++;
  return counts;
}

/** A level in words. */
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

/** Rules that nobody enforces, each with the steps that have it, by what becomes of them. */
export interface UnenforcedRules {
  /** Denied files or network on steps that do not say `sandbox: off`: a run is refused. */
  readonly refused: ReadonlyMap<string, readonly string[]>;
  /** All others: the run goes ahead, and the rule means nothing. */
  readonly exposed: ReadonlyMap<string, readonly string[]>;
}

/** Sorts the rules of a plan that nobody enforces. */
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

/** One indented line for each rule, with the steps that have it. */
export function ruleLines(rules: ReadonlyMap<string, readonly string[]>): string[] {
  return [...rules].map(([rule, steps]) => `  ${printable(rule)}  in ${list(steps)}`);
}

const listLimit = 5;

/** The first five names, separated by commas, and the number of the others. */
export function list(names: readonly string[]): string {
  const shown = names.slice(0, listLimit).map(printable).join(", ");
  return names.length > listLimit ? `${shown} and ${names.length - listLimit} more` : shown;
}
