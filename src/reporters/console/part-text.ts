/** Names the parts of fingerprints for people. Pure. */
import type { FingerprintRef } from "../../core/event.ts";
import { printable } from "../../text/printable.ts";

const partNames: Readonly<Record<string, string>> = {
  format: "the format of fingerprints",
  persona: "the persona's prompt",
  adapter: "the adapter or its command",
  base: "project files",
  ignored: "ignored files that it can read, or results recorded without them",
  "gate-ignored": "ignored files that its contracts can read",
  tree: "the project since that run",
  include: "rules for ignored changes",
  changes: "changes of upstream steps",
  platform: "the platform",
  env: "environment values",
  secrets: "names of secrets",
  "gate-tree": "files that its contracts check",
  dependencies: "its dependencies or inputs",
};

/** The names of the parts in which two fingerprints differ, sorted. */
export function differingParts(a: FingerprintRef, b: FingerprintRef): string[] {
  const names = new Set([...Object.keys(a.parts), ...Object.keys(b.parts)]);
  return [...names].filter((name) => a.parts[name] !== b.parts[name]).sort();
}

/** The name of a part: `task`, `input survey`, `schema out.schema.json`. */
export function partText(part: string): string {
  const name = Object.hasOwn(partNames, part) ? partNames[part] : undefined;
  if (name !== undefined) return name;
  for (const [prefix, kind] of [
    ["input:", "input"],
    ["contract:", "contract"],
    ["gate-file:", "schema"],
  ] as const) {
    if (part.startsWith(prefix)) return `${kind} ${printable(part.slice(prefix.length))}`;
  }
  return printable(part);
}
