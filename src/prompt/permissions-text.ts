/** Describes permissions in the prompt. Enforces nothing. Pure. */
import type { Capability, StepPermissions } from "../core/permissions.ts";
import { capabilities } from "../core/permissions.ts";
import type { WorkspacePaths } from "../core/ports.ts";
import { quoted } from "./code-block.ts";

const verbs: Readonly<Record<Capability, string>> = {
  file_read: "read files",
  file_write: "write files",
  network_access: "connect to hosts",
  command: "run commands",
};

/** The section's body. Empty without rules. */
export function permissionsText(permissions: StepPermissions, paths: WorkspacePaths): string {
  const lines = capabilities.flatMap((capability) => sentencesFor(permissions, capability));
  if (lines.length === 0) return "";
  return [
    "Follow these rules. Violating one fails the step.",
    "",
    ...lines,
    `- The inputs and ${quoted(paths.output)} are always accessible.`,
  ].join("\n");
}

function sentencesFor({ layers }: StepPermissions, capability: Capability): string[] {
  const verb = verbs[capability];
  const allows = unique(layers.map((layer) => patternsOf(layer.allow, capability)).filter((patterns) => patterns !== ""));
  const denies = unique(layers.map((layer) => patternsOf(layer.deny, capability)).filter((patterns) => patterns !== ""));
  return [
    ...(allows.length === 0 ? [] : [`- You may ${verb} only if they match ${allows.join("; and also ")}.`]),
    ...(denies.length === 0 ? [] : [`- You must not ${verb} that match ${denies.join(", ")}.`]),
  ];
}

function patternsOf(rules: StepPermissions["layers"][number]["allow"], capability: Capability): string {
  return rules
    .filter((rule) => rule.capability === capability)
    .map((rule) => quoted(rule.pattern))
    .join(", ");
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
