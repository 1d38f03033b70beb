/** Finds variables that must not be substituted: declared secrets, and variables of GitHub's runner. */
import type { DocumentNode } from "../../core/document.ts";

/** Adds all names in `secrets` of the manifest, its personas and steps. Ignores values of the wrong type. */
export function collectSecretNames(node: DocumentNode, names: Set<string>): void {
  const seen = new Set<DocumentNode>();
  const visit = (current: DocumentNode): void => {
    if (current.kind === "scalar" || seen.has(current)) return;
    seen.add(current);
    if (current.kind === "list") for (const item of current.items) visit(item);
    else for (const { key, node: member } of current.entries.values()) key === "secrets" ? addNames(member, names) : visit(member);
  };
  visit(node);
}

/** The names in `secrets` of a manifest that is not valid YAML. Finds common spellings only. */
export function secretNamesInText(text: string): readonly string[] {
  const lists = text.matchAll(/\bsecrets["']?\s*:\s*(\[[^\]\n]*|(?:\s*-[^\n]*)+|[^\n]*)/g);
  return [...lists].flatMap(([, list = ""]) => list.match(/[A-Za-z_][A-Za-z0-9_]*/g) ?? []);
}

function addNames(node: DocumentNode, names: Set<string>): void {
  const items = node.kind === "list" ? node.items : [node];
  for (const item of items) if (item.kind === "scalar" && typeof item.value === "string") names.add(item.value);
}

/**
 * The reason why a variable must not be substituted. Undefined if it may be. Covers tokens such as GITHUB_TOKEN, GH_TOKEN and GH_ENTERPRISE_TOKEN, and the
 * runner's `ACTIONS_*` and `INPUT_*` (source: GitHub's "default environment variables", the toolkit's `getInput`).
 */
export function forbiddenVariable(name: string, secrets: ReadonlySet<string>): string | undefined {
  if (secrets.has(name)) return "is declared as a secret";
  const upper = name.toUpperCase();
  if (upper.startsWith("ACTIONS_") || upper.startsWith("INPUT_")) return "belongs to GitHub's runner";
  return /^(?:GITHUB|GH)_(?:[A-Z0-9_]*_)?(?:TOKEN|PAT)$/.test(upper) ? "is a GitHub token" : undefined;
}
