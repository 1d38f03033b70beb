/**
 * Who enforces a step's permissions, in an environment that can fence and isolate or cannot. Pure: what the environment can do
 * is given.
 */
import { type Capability, leavesOutGit, restrictions } from "./permissions.ts";
import type { Pipeline, Step } from "./pipeline.ts";

/** How a rule is enforced: by the OS, by a check afterwards, by the agent's own flags, or by nobody. */
export type EnforcementLevel = "sandbox" | "verified" | "agent" | "none";

/** What this environment can do. */
export interface SandboxSupport {
  /** Children can be given a root, processes and a temporary directory of their own. */
  readonly available: boolean;
  /** Children can be cut off from the network, but for hosts that are allowed. */
  readonly network: boolean;
  /** Children of root can use files of every owner, as root can outside. Undefined for other users and without a sandbox. */
  readonly allOwners?: boolean;
}

/** An environment that can do nothing. */
export const noSandbox: SandboxSupport = { available: false, network: false };

export interface EnforcedRule {
  /** As written. */
  readonly rule: string;
  readonly kind: "allow" | "deny";
  readonly level: EnforcementLevel;
}

/**
 * Who enforces each restricting rule of a step. Reads are fenced by leaving files out of what the child sees; writes are checked
 * when the attempt has ended, before anything of it is kept, and the fence keeps the child from writing elsewhere. A step that
 * runs in place has neither: its fence keeps it from the rest of the machine, and from writing to `.git`. `command` rules are handed to agents that have flags for them, and mean nothing to the `command` adapter.
 */
export function enforcementOf(step: Step, sandbox: SandboxSupport): readonly EnforcedRule[] {
  return restrictions(step.permissions).map(({ rule, kind }) => ({
    rule: rule.text,
    kind,
    level: levelOf(step, rule.capability, sandbox),
  }));
}

/** The rules for which a run is refused: denies of files and network that nothing here enforces, on steps that do not say `sandbox: off`. */
export function unenforceable(pipeline: Pipeline, sandbox: SandboxSupport): readonly { readonly step: string; readonly rule: string }[] {
  return pipeline.steps
    .filter((step) => step.sandbox === "on")
    .flatMap((step) =>
      restrictions(step.permissions)
        .filter(({ rule, kind }) => kind === "deny" && rule.capability !== "command" && levelOf(step, rule.capability, sandbox) === "none")
        .map(({ rule }) => ({ step: step.id, rule: rule.text })),
    );
}

/** Whether a step's child is fenced here. */
export function isSandboxed(step: Pick<Step, "sandbox">, sandbox: SandboxSupport): boolean {
  return sandbox.available && step.sandbox !== "off";
}

/** Whether a step asks for anything that only a fence or a workspace of its own gives. */
export function wantsIsolation(step: Pick<Step, "sandbox" | "workspace">): boolean {
  return step.workspace !== "shared" || step.sandbox !== "off";
}

/** Whether a step can write to the project's `.git`: it runs in the project itself, and no fence keeps it from there. */
export function writesRepository(step: Pick<Step, "sandbox" | "workspace">, sandbox: SandboxSupport): boolean {
  return step.workspace === "shared" && !isSandboxed(step, sandbox);
}

/** Whether a step cannot see `.git` here, because its `file_read` rules leave it out and are enforced. */
export function hidesGit(step: Step, sandbox: SandboxSupport): boolean {
  return leavesOutGit(step.permissions) && levelOf(step, "file_read", sandbox) !== "none";
}

function levelOf(step: Step, capability: Capability, sandbox: SandboxSupport): EnforcementLevel {
  const isolated = step.workspace !== "shared";
  // These run no program: what they read and write goes through wave, which looks at it; they reach nothing.
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
