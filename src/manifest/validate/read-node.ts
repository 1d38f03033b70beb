/** Reads values of nodes. Values of the wrong type are undefined or empty: `structure.ts` reports them, and other keys can still be checked. */
import { defined } from "../../core/defined.ts";
import type { DocumentNode, MapEntry, Origin } from "../../core/document.ts";
import { type AdapterName, adapterNames } from "../../core/names.ts";

/** A text with its position. */
export interface Located {
  readonly text: string;
  readonly origin: Origin;
}

/** The start of an origin, for findings about a whole file. */
export function startOf({ file, range }: Origin): Origin {
  return { file, range: { start: range.start, end: range.start } };
}

export function member(node: DocumentNode | undefined, key: string): DocumentNode | undefined {
  return node?.kind === "map" ? node.entries.get(key)?.node : undefined;
}

/** The position of a key, or of the node if the key is missing. */
export function keyOrigin(node: DocumentNode, key: string): Origin {
  return (node.kind === "map" ? node.entries.get(key)?.keyOrigin : undefined) ?? node.origin;
}

export function asText(node: DocumentNode | undefined): string | undefined {
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
}

export function asNumber(node: DocumentNode | undefined): number | undefined {
  return node?.kind === "scalar" && typeof node.value === "number" ? node.value : undefined;
}

export function asBoolean(node: DocumentNode | undefined): boolean | undefined {
  return node?.kind === "scalar" && typeof node.value === "boolean" ? node.value : undefined;
}

/** A text if it is one of `words`. */
export function asOneOf<T extends string>(node: DocumentNode | undefined, allowed: readonly T[]): T | undefined {
  const text = asText(node);
  return allowed.find((known) => known === text);
}

/** An adapter with its version, such as `claude@2.1.330`. */
export function asAdapter(node: DocumentNode | undefined): { readonly name: AdapterName; readonly version?: string } | undefined {
  const [word, version] = asText(node)?.split("@", 2) ?? [];
  const name = adapterNames.find((known) => known === word);
  return name === undefined ? undefined : { name, ...defined({ version }) };
}

export function asLocated(node: DocumentNode | undefined): Located | undefined {
  const text = asText(node);
  return text === undefined || node === undefined ? undefined : { text, origin: node.origin };
}

/** The items of a list. Empty for other nodes. */
export function items(node: DocumentNode | undefined): readonly DocumentNode[] {
  return node?.kind === "list" ? node.items : [];
}

/** The texts of a list with their positions. */
export function textItems(node: DocumentNode | undefined): readonly Located[] {
  return items(node).flatMap((item) => asLocated(item) ?? []);
}

/** The members of a map, in order. */
export function entries(node: DocumentNode | undefined): readonly MapEntry[] {
  return node?.kind === "map" ? [...node.entries.values()] : [];
}

/** A command: a text, or a list of texts. */
export function asCommand(node: DocumentNode | undefined): readonly string[] | string | undefined {
  if (node?.kind !== "list") return asText(node);
  const words = textItems(node).map((word) => word.text);
  return words.length === 0 ? undefined : words;
}

/** An `env` map. Numbers and booleans keep their source text. */
export function asEnv(node: DocumentNode | undefined): Readonly<Record<string, string>> {
  const pairs = entries(node).flatMap((entry): [string, string][] =>
    entry.node.kind === "scalar" && entry.node.value !== null ? [[entry.key, entry.node.written ?? String(entry.node.value)]] : [],
  );
  return Object.fromEntries(pairs);
}
