/**
 * Who enforces a step's permissions, in an environment that can fence and isolate or cannot. Pure: what the environment can do
 * is given.
 */
import { type Capability, leavesOutGit, restrictions } from "./permissions.ts";
import type { Pipeline, Step } from "./pipeline.ts";

/** How a rule is enforced: by the OS, by a check afterwards, by the agent's own flags, or by nobody. */
export type EnforcementLevel = "sandbox" | "verified" | "agent" | "none";

/** What this environment can do. */
export interface Fences {
  /** Children can be given a root, processes and a temporary directory of their own. */
  readonly fence: boolean;
  /** Children can be cut off from the network, but for hosts that are allowed. */
  readonly network: boolean;
  /** Children of root can use files of every owner, as root can outside. Undefined for other users and without a sandbox. */
  readonly allOwners?: boolean;
}

/** An environment that can do nothing. */
export const noFences: Fences = { fence: false, network: false };

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
export function enforcementOf(step: Step, fences: Fences): readonly EnforcedRule[] {
  return restrictions(step.permissions).map(({ rule, kind }) => ({ rule: rule.text, kind, level: levelOf(step, rule.capability, fences) }));
}

/** The rules for which a run is refused: denies of files and network that nothing here enforces, on steps that do not say `sandbox: off`. */
export function unenforceable(pipeline: Pipeline, fences: Fences): readonly { readonly step: string; readonly rule: string }[] {
  return pipeline.steps
    .filter((step) => step.sandbox === "on")
    .flatMap((step) =>
      restrictions(step.permissions)
        .filter(({ rule, kind }) => kind === "deny" && rule.capability !== "command" && levelOf(step, rule.capability, fences) === "none")
        .map(({ rule }) => ({ step: step.id, rule: rule.text })),
    );
}

/** Whether a step's child is fenced here. */
export function isFenced(step: Pick<Step, "sandbox">, fences: Fences): boolean {
  return fences.fence && step.sandbox !== "off";
}

/** Whether a step asks for anything that only a fence or a workspace of its own gives. */
export function wantsIsolation(step: Pick<Step, "sandbox" | "workspace">): boolean {
  return step.workspace !== "shared" || step.sandbox !== "off";
}

/** Whether a step can write to the project's `.git`: it runs in the project itself, and no fence keeps it from there. */
export function writesRepository(step: Pick<Step, "sandbox" | "workspace">, fences: Fences): boolean {
  return step.workspace === "shared" && !isFenced(step, fences);
}

/** Whether a step cannot see `.git` here, because its `file_read` rules leave it out and are enforced. */
export function hidesGit(step: Step, fences: Fences): boolean {
  return leavesOutGit(step.permissions) && levelOf(step, "file_read", fences) !== "none";
}

function levelOf(step: Step, capability: Capability, fences: Fences): EnforcementLevel {
  const isolated = step.workspace !== "shared";
  // These run no program: what they read and write goes through wave, which looks at it; they reach nothing.
  if (step.adapter !== undefined && ["replay", "api"].includes(step.adapter.name) && capability !== "command")
    return isolated ? "verified" : "none";
  const fenced = isFenced(step, fences);
  switch (capability) {
    case "file_read":
      return fenced && isolated ? "sandbox" : "none";
    case "file_write":
      return isolated ? "verified" : "none";
    case "network_access":
      return fenced && fences.network ? "sandbox" : "none";
    case "command":
      return step.adapter !== undefined && !["command", "replay", "api"].includes(step.adapter.name) ? "agent" : "none";
  }
}
