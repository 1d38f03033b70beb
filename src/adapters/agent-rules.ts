/** A step's permissions as agents' own rules are made of them. They keep an agent from trying what would fail; wave's sandbox is what holds. Pure. */
import { type Capability, isUniversal, restrictions } from "../core/permissions.ts";
import type { Step } from "../core/pipeline.ts";

export interface AgentRules {
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
  /** No rule takes anything away that an agent's own flags could express. */
  readonly isOpen: boolean;
}

/** The patterns that take something away. Of several layers that allow, the last (the step's) is what the agent is told; the sandbox holds all. */
export function rulesOf(step: Step, capability: Capability): AgentRules {
  const rules = restrictions(step.permissions).filter(({ rule }) => rule.capability === capability);
  const layers = step.permissions.layers.map(({ allow }) =>
    allow.filter((rule) => rule.capability === capability).map(({ pattern }) => pattern),
  );
  const denied = rules.filter(({ kind }) => kind === "deny").map(({ rule }) => rule.pattern);
  return {
    allowed: layers.findLast((patterns) => patterns.length > 0) ?? [],
    denied,
    isOpen: rules.every(({ rule, kind }) => kind === "allow" && isUniversal(rule)),
  };
}

/** Whether everything of a kind is denied. */
export function deniesAll({ denied }: AgentRules): boolean {
  return denied.some((pattern) => /^\*+$/.test(pattern));
}
