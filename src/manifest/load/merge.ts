/** Merges overlays. Nodes keep their source positions. */
import type { DocumentNode, ListNode, MapEntry, MapNode } from "../../core/document.ts";
import { isNull, mergePersona } from "../schema/persona-document.ts";

/**
 * Merges an overlay over a base: maps by key, lists of steps by `id`. `null` removes a key; other values are replaced. New steps are appended in the
 * order of the overlay. Personas are merged by `manifest/schema/persona-document.ts`.
 */
export function mergeMaps(base: MapNode, overlay: MapNode): MapNode {
  return mergeAt(base, overlay, []);
}

function mergeAt(base: MapNode, overlay: MapNode, at: readonly string[]): MapNode {
  if (at.length === 2 && at[0] === "personas") return mergePersona(base, overlay);
  const entries = new Map<string, MapEntry>(base.entries);
  const removed = new Map(base.removed);
  for (const [key, entry] of overlay.entries) {
    const under = base.entries.get(key);
    if (isNull(entry.node)) {
      if (entries.delete(key)) removed.set(key, entry.node.origin);
    } else {
      entries.set(key, under === undefined ? entry : mergeEntry(under, entry, [...at, key]));
      removed.delete(key);
    }
  }
  return { kind: "map", entries, origin: base.origin, ...(removed.size === 0 ? {} : { removed }) };
}

function mergeEntry(under: MapEntry, over: MapEntry, at: readonly string[]): MapEntry {
  const node = mergeNodes(under.node, over.node, at);
  return node === over.node ? over : { key: over.key, keyOrigin: under.keyOrigin, node };
}

function mergeNodes(under: DocumentNode, over: DocumentNode, at: readonly string[]): DocumentNode {
  const key = at.at(-1);
  if (under.kind === "map" && over.kind === "map") return mergeAt(under, over, at);
  if (key === "steps" && under.kind === "list" && over.kind === "list") return mergeById(under, over);
  return over;
}

function mergeById(under: ListNode, over: ListNode): ListNode {
  const overlays = new Map<string, MapNode>();
  const rest: DocumentNode[] = [];
  const known = new Set(under.items.map(idOf));
  for (const item of over.items) {
    const id = idOf(item);
    // Keep a second step with the same id, so that validation reports the duplicate.
    if (id === undefined || item.kind !== "map" || !known.has(id) || overlays.has(id)) rest.push(item);
    else overlays.set(id, item);
  }
  const items = under.items.map((item) => {
    const overlay = overlays.get(idOf(item) ?? "");
    return overlay === undefined || item.kind !== "map" ? item : mergeMaps(item, overlay);
  });
  return { kind: "list", items: [...items, ...rest], origin: under.origin };
}

function idOf(node: DocumentNode): string | undefined {
  const id = node.kind === "map" ? node.entries.get("id")?.node : undefined;
  return id?.kind === "scalar" && typeof id.value === "string" ? id.value : undefined;
}
