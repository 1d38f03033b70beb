/** Decides how a step's permissions are enforced in an environment with or without a sandbox. Pure. */
import { type Capability, leavesOutGit, restrictions } from "./permissions.ts";
import type { Pipeline, Step } from "./pipeline.ts";

/** How a rule is enforced: by the sandbox, by a check after the attempt, by the agent's flags, or not at all. */
export type EnforcementLevel = "sandbox" | "verified" | "agent" | "none";

/** The capabilities of this environment. */
export interface SandboxSupport {
  /** Children can have a root, processes and a temporary directory of their own. */
  readonly available: boolean;
  /** The network of children can be limited to allowed hosts. */
  readonly network: boolean;
  /** Children of root can use files of every owner, as root can outside. Undefined for other users and without a sandbox. */
  readonly allOwners?: boolean;
}

/** An environment without a sandbox. */
export const noSandbox: SandboxSupport = { available: false, network: false };

export interface EnforcedRule {
  /** As written. */
  readonly rule: string;
  readonly kind: "allow" | "deny";
  readonly level: EnforcementLevel;
}

/**
 * How each restricting rule of a step is enforced. Reads: hidden files are missing from the sandbox. Writes: checked after the attempt, before its changes
 * are kept; the sandbox prevents writes elsewhere. A shared workspace has neither: its sandbox protects only the rest of the machine and `.git`. `command`
 * rules become flags of agents, and have no effect on the `command` adapter.
 */
export function enforcementOf(step: Step, sandbox: SandboxSupport): readonly EnforcedRule[] {
  return restrictions(step.permissions).map(({ rule, kind }) => ({
    rule: rule.text,
    kind,
    level: levelOf(step, rule.capability, sandbox),
  }));
}

/** The deny rules for files and network that cannot be enforced here, on steps without `sandbox: off`. A run with any is refused. */
export function unenforceable(pipeline: Pipeline, sandbox: SandboxSupport): readonly { readonly step: string; readonly rule: string }[] {
  return pipeline.steps
    .filter((step) => step.sandbox === "on")
    .flatMap((step) =>
      restrictions(step.permissions)
        .filter(({ rule, kind }) => kind === "deny" && rule.capability !== "command" && levelOf(step, rule.capability, sandbox) === "none")
        .map(({ rule }) => ({ step: step.id, rule: rule.text })),
    );
}

/** Whether the step's processes run in a sandbox. */
export function isSandboxed(step: Pick<Step, "sandbox">, sandbox: SandboxSupport): boolean {
  return sandbox.available && step.sandbox !== "off";
}

/** Whether a step needs a sandbox or its own workspace. */
export function wantsIsolation(step: Pick<Step, "sandbox" | "workspace">): boolean {
  return step.workspace !== "shared" || step.sandbox !== "off";
}

/** Whether a step can write to the project's `.git`: it runs in the project without a sandbox. */
export function writesRepository(step: Pick<Step, "sandbox" | "workspace">, sandbox: SandboxSupport): boolean {
  return step.workspace === "shared" && !isSandboxed(step, sandbox);
}

/** Whether a step cannot see `.git` here, because its enforced `file_read` rules do not cover it. */
export function hidesGit(step: Step, sandbox: SandboxSupport): boolean {
  return leavesOutGit(step.permissions) && levelOf(step, "file_read", sandbox) !== "none";
}

function levelOf(step: Step, capability: Capability, sandbox: SandboxSupport): EnforcementLevel {
  const isolated = step.workspace !== "shared";
  // These adapters run no program. Wave checks each file access, and they have no network.
  if (step.adapter !== undefined && ["replay", "api"].includes(step.adapter.name) && capability !== "command")
    return isolated ? "verified" : "none";
  const sandboxed = isSandboxed(step, sandbox);
  switch (capability) {
    case "file_read":
      return sandboxed && isolated ? "sandbox" : "none";
    case "file_write":
      return isolated ? "verified" : "none";
    case "network_access":
      return sandboxed && sandbox.network ? "sandbox" : "none";
    case "command":
      return step.adapter !== undefined && !["command", "replay", "api"].includes(step.adapter.name) ? "agent" : "none";
  }
}
