/** Finds deny rules of steps that an overlay drops by replacing their list. Pure. */
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { DocumentNode, MapEntry, MapNode, Origin } from "../../core/document.ts";

const stepLists = [["steps"], ["pipeline", "steps"]] as const;

/** Returns a warning for each rule of a step in `base` that is not in `merged`, at the key of `overlay` that drops it. */
export function droppedDenials(base: MapNode, overlay: MapNode, merged: MapNode): Diagnostic[] {
  return stepLists.flatMap((path) => {
    const [before, over, after] = [base, overlay, merged].map((document) => stepsById(document, path));
    return [...(before ?? [])].flatMap(([id, step]) => {
      const [changed, kept] = [over?.get(id), after?.get(id)];
      if (changed === undefined || kept === undefined) return [];
      const rest = new Set(denials(kept).map(({ text }) => text));
      const origin = droppingKey(changed);
      return denials(step)
        .filter(({ text }) => !rest.has(text))
        .map(({ text, origin: written }) => warning(id, text, { origin, written }));
    });
  });
}

function warning(step: string, rule: string, { origin, written }: { readonly origin: Origin; readonly written: Origin }): Diagnostic {
  return {
    code: "W406",
    severity: "warning",
    message: `the overlay drops the deny rule \`${rule}\` of step \`${step}\``,
    origin,
    hint: "lists in overlays replace the original list; repeat the rule to keep it",
    related: [{ message: "the dropped rule", origin: written }],
  };
}

function stepsById(document: MapNode, path: readonly string[]): ReadonlyMap<string, MapNode> {
  const list = path.reduce<DocumentNode | undefined>((node, key) => entryOf(node, key)?.node, document);
  const items = list?.kind === "list" ? list.items : [];
  return new Map(
    items.flatMap((item) => {
      const id = textOf(entryOf(item, "id")?.node);
      return id === undefined || item.kind !== "map" ? [] : [[id, item] as const];
    }),
  );
}

function denials(step: MapNode): { readonly text: string; readonly origin: Origin }[] {
  const deny = entryOf(entryOf(step, "permissions")?.node, "deny")?.node;
  const items = deny?.kind === "list" ? deny.items : [];
  return items.flatMap((item) => {
    const text = textOf(item);
    return text === undefined ? [] : [{ text, origin: item.origin }];
  });
}

/** `deny`, or `permissions` if it is replaced as a whole. */
function droppingKey(overlay: MapNode): Origin {
  const permissions = entryOf(overlay, "permissions");
  return (entryOf(permissions?.node, "deny") ?? permissions)?.keyOrigin ?? overlay.origin;
}

function entryOf(node: DocumentNode | undefined, key: string): MapEntry | undefined {
  return node?.kind === "map" ? node.entries.get(key) : undefined;
}

function textOf(node: DocumentNode | undefined): string | undefined {
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
}
