/**
 * Documents with source positions: parsed YAML files. A document is a
 * tree of nodes; after overlays are merged, every node still knows the file and range it came from.
 */
import type { JsonValue } from "./json.ts";

/** A position in a text; lines and columns count from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A half-open range of a text. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** A place in a file. `file` is relative to the project root, with forward slashes. */
export interface Origin {
  readonly file: string;
  readonly range: Range;
}

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** The text of an unquoted number or boolean whose value prints differently (`1.10`, `0o17`, `True`). */
  readonly written?: string;
  readonly origin: Origin;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly DocumentNode[];
  readonly origin: Origin;
}

export interface MapEntry {
  readonly key: string;
  readonly keyOrigin: Origin;
  readonly node: DocumentNode;
}

export interface MapNode {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly origin: Origin;
  /** Keys that an overlay removed, and the place of its `null`. */
  readonly removed?: ReadonlyMap<string, Origin>;
}

export type DocumentNode = ScalarNode | ListNode | MapNode;

/** A path in a document: map keys and list indexes, from the root. */
export type DocumentPath = readonly (string | number)[];

/** The plain data of a node. Maps become objects without a prototype's surprises (`__proto__` is an own key). */
export function toValue(node: DocumentNode): JsonValue {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(toValue);
    case "map":
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toValue(entry.node)]));
  }
}

/** The node at a path; undefined if there is none. */
export function nodeAt(node: DocumentNode, path: DocumentPath): DocumentNode | undefined {
  let current: DocumentNode | undefined = node;
  for (const part of path) {
    if (current === undefined) return undefined;
    if (current.kind === "map") current = current.entries.get(String(part))?.node;
    else if (current.kind === "list") current = current.items[Number(part)];
    else return undefined;
  }
  return current;
}

/** The place of the value at a path, or of its nearest ancestor that exists. */
export function originAt(node: DocumentNode, path: DocumentPath): Origin {
  for (let length = path.length; length > 0; length--) {
    const found = nodeAt(node, path.slice(0, length));
    if (found !== undefined) return found.origin;
  }
  return node.origin;
}

/** The place of a map member's key; without one, as {@link originAt}. */
export function keyOriginAt(node: DocumentNode, path: DocumentPath): Origin {
  const key = path.at(-1);
  const parent = nodeAt(node, path.slice(0, -1));
  const entry = parent?.kind === "map" && key !== undefined ? parent.entries.get(String(key)) : undefined;
  return entry?.keyOrigin ?? originAt(node, path);
}
