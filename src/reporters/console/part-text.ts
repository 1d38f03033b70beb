/** The parts of a fingerprint in the words of the manifest. Pure. */
import type { FingerprintRef } from "../../core/event.ts";
import { printable } from "../../text/printable.ts";

const words: Readonly<Record<string, string>> = {
  format: "how this version of wave compares work",
  persona: "the persona's prompt",
  adapter: "the adapter or its command",
  base: "project files",
  ignored: "ignored files that it can read, or results recorded without them",
  "gate-ignored": "ignored files that its contracts can read",
  tree: "the project since that run",
  include: "which ignored changes are kept",
  changes: "changes of steps before it",
  platform: "the platform",
  env: "environment values",
  secrets: "names of secrets",
  "gate-tree": "files that its contracts judge",
  dependencies: "what it waits for or takes in",
};

/** The names of the parts in which two fingerprints differ, sorted. */
export function differingParts(a: FingerprintRef, b: FingerprintRef): string[] {
  const names = new Set([...Object.keys(a.parts), ...Object.keys(b.parts)]);
  return [...names].filter((name) => a.parts[name] !== b.parts[name]).sort();
}

/** What differs, for a list: `task`, `input survey`, `schema out.schema.json`. */
export function partText(part: string): string {
  const known = Object.hasOwn(words, part) ? words[part] : undefined;
  if (known !== undefined) return known;
  for (const [prefix, kind] of [
    ["input:", "input"],
    ["contract:", "contract"],
    ["gate-file:", "schema"],
  ] as const) {
    if (part.startsWith(prefix)) return `${kind} ${printable(part.slice(prefix.length))}`;
  }
  return printable(part);
}
