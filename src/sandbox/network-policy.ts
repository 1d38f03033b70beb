/** Determines the hosts that a step or a contract may reach, as a policy for the sandbox. Pure. */
import { endpointsOf, isEndpoint } from "../core/agent-endpoint.ts";
import { isAllowed, isDenied, namesHost, parsePermission, restrictions, type StepPermissions } from "../core/permissions.ts";
import type { Step } from "../core/pipeline.ts";
import type { HostRules } from "./network-proxy.ts";

/** `open`: everything. `closed`: nothing. `hosts`: what the rules allow. */
export type NetworkPolicy = { readonly kind: "open" } | { readonly kind: "closed" } | ({ readonly kind: "hosts" } & HostRules);

/** The policy of a step's child. Without restricting rules everything is open; an agent always reaches its model. */
export function policyOfStep(step: Pick<Step, "permissions" | "adapter" | "persona">): NetworkPolicy {
  const policy = policyOf(step.permissions);
  const endpoints = endpointsOf(step);
  if (endpoints.length === 0 || policy.kind === "open") return policy;
  const rest = policy.kind === "closed" ? () => false : policy.allows;
  return {
    kind: "hosts",
    allows: (subject) => isEndpoint(endpoints, subject) || rest(subject),
    names: (subject) => endpoints.includes(subject) || namesHost(step.permissions, subject),
    deniesAddress: (address, subject) => !isEndpoint(endpoints, subject) && isDenied(step.permissions, "network_access", address),
  };
}

/** The policy of a contract's command: only the hosts it names. Empty patterns mean no network. */
export function policyOfContract(patterns: readonly string[]): NetworkPolicy {
  if (patterns.length === 0) return { kind: "closed" };
  const allow = patterns.flatMap((pattern) => parsePermission(`network_access:${pattern}`) ?? []);
  return policyOf({ layers: [{ source: "step", allow, deny: [] }] });
}

function policyOf(permissions: StepPermissions): NetworkPolicy {
  const rules = restrictions(permissions).filter(({ rule }) => rule.capability === "network_access");
  if (rules.length === 0) return { kind: "open" };
  if (rules.some(({ rule, kind }) => kind === "deny" && /^\*+(?::\*)?$/.test(rule.pattern))) return { kind: "closed" };
  return {
    kind: "hosts",
    allows: (subject) => isAllowed(permissions, "network_access", subject),
    names: (subject) => namesHost(permissions, subject),
    deniesAddress: (address) => isDenied(permissions, "network_access", address),
  };
}
