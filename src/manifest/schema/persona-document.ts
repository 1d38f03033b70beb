/** Merges one persona definition over another. Every node keeps its source position. Pure. */
import type { DocumentNode, MapEntry, MapNode } from "../../core/document.ts";

/** Keys that replace each other. */
const counterparts: Readonly<Record<string, string>> = { prompt: "system_prompt", system_prompt: "prompt" };

/**
 * Scalars and maps are merged by key. Lists (`allow`, `secrets`, `command`) are replaced, except `deny` rules, which are added.
 * `null` removes a key. `permissions: { replace: true }` drops every rule of `under`. `prompt` and `system_prompt` replace each other.
 */
export function mergePersona(under: MapNode, over: MapNode): MapNode {
  const merged = new Map<string, MapEntry>(under.entries);
  for (const [key, entry] of over.entries) {
    if (isNull(entry.node)) {
      merged.delete(key);
      continue;
    }
    const counterpart = counterparts[key];
    if (counterpart !== undefined && !over.entries.has(counterpart)) merged.delete(counterpart);
    const below = merged.get(key);
    merged.set(key, below === undefined ? entry : { ...entry, node: mergeValue(key, below.node, entry.node) });
  }
  return { ...under, entries: merged };
}

function mergeValue(key: string, under: DocumentNode, over: DocumentNode): DocumentNode {
  if (under.kind !== "map" || over.kind !== "map") return over;
  if (key === "permissions") return mergePermissions(under, over);
  const kept = [...under.entries, ...over.entries].filter(([name]) => !isNull(over.entries.get(name)?.node));
  return { ...under, entries: new Map(kept) };
}

function mergePermissions(under: MapNode, over: MapNode): MapNode {
  if (valueAt(over, "replace") === true) return over;
  const merged = new Map([...under.entries, ...over.entries]);
  const [below, above] = [under.entries.get("deny"), over.entries.get("deny")];
  if (below?.node.kind === "list" && above?.node.kind === "list") {
    const written = new Set(above.node.items.map(textOf));
    const inherited = below.node.items.filter((item) => !written.has(textOf(item)));
    merged.set("deny", { ...above, node: { ...above.node, items: [...inherited, ...above.node.items] } });
  }
  return { ...under, entries: merged };
}

/** Whether a node is `null`, which removes its key. */
export function isNull(node: DocumentNode | undefined): boolean {
  return node?.kind === "scalar" && node.value === null;
}

function valueAt(node: MapNode, key: string): unknown {
  const member = node.entries.get(key)?.node;
  return member?.kind === "scalar" ? member.value : undefined;
}

function textOf(node: DocumentNode): string | undefined {
  return node.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
}
