/**
 * A step's permissions as input for an agent's own rules. These rules only save the agent futile attempts; the sandbox
 * enforces the permissions. Pure.
 */
import { type Capability, isUniversal, restrictions } from "../core/permissions.ts";
import type { Step } from "../core/pipeline.ts";

export interface AgentRules {
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
  /** Whether the capability is unrestricted. */
  readonly isOpen: boolean;
}

/** Patterns of one capability. Of several layers with allow rules, the agent gets only the last (the step's); the sandbox enforces all. */
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

/** Whether a deny rule matches everything. */
export function deniesAll({ denied }: AgentRules): boolean {
  return denied.some((pattern) => /^\*+$/.test(pattern));
}
