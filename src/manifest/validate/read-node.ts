/**
 * Reads nodes by the shape that is wanted and gives nothing for any other: wrong shapes are `structure.ts`'s to report, and a
 * step with one wrong key is still checked in all its other keys.
 */
import { defined } from "../../core/defined.ts";
import type { DocumentNode, MapEntry, Origin } from "../../core/document.ts";
import { type AdapterName, adapterNames } from "../../core/names.ts";

/** A text and where it stands. */
export interface Located {
  readonly text: string;
  readonly origin: Origin;
}

/** The first position of a place, for findings about a whole file. */
export function startOf({ file, range }: Origin): Origin {
  return { file, range: { start: range.start, end: range.start } };
}

/** A map's member. */
export function member(node: DocumentNode | undefined, key: string): DocumentNode | undefined {
  return node?.kind === "map" ? node.entries.get(key)?.node : undefined;
}

/** Where a member's key stands; where there is none, the node itself. */
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

/** A text among a few. */
export function asOneOf<T extends string>(node: DocumentNode | undefined, allowed: readonly T[]): T | undefined {
  const text = asText(node);
  return allowed.find((known) => known === text);
}

/** An adapter, with the version that is written behind it. */
export function asAdapter(node: DocumentNode | undefined): { readonly name: AdapterName; readonly version?: string } | undefined {
  const [word, version] = asText(node)?.split("@", 2) ?? [];
  const name = adapterNames.find((known) => known === word);
  return name === undefined ? undefined : { name, ...defined({ version }) };
}

export function asLocated(node: DocumentNode | undefined): Located | undefined {
  const text = asText(node);
  return text === undefined || node === undefined ? undefined : { text, origin: node.origin };
}

/** A list's items; none for anything else. */
export function items(node: DocumentNode | undefined): readonly DocumentNode[] {
  return node?.kind === "list" ? node.items : [];
}

/** The texts of a list, with their places. */
export function texts(node: DocumentNode | undefined): readonly Located[] {
  return items(node).flatMap((item) => asLocated(item) ?? []);
}

/** A map's members, in order. */
export function entries(node: DocumentNode | undefined): readonly MapEntry[] {
  return node?.kind === "map" ? [...node.entries.values()] : [];
}

/** A command: a list of texts, or one text. */
export function asCommand(node: DocumentNode | undefined): readonly string[] | string | undefined {
  if (node?.kind !== "list") return asText(node);
  const words = texts(node).map((word) => word.text);
  return words.length === 0 ? undefined : words;
}

/** Names and values of an `env` map. Numbers and booleans keep the text they are written with. */
export function asEnv(node: DocumentNode | undefined): Readonly<Record<string, string>> {
  const pairs = entries(node).flatMap((entry): [string, string][] =>
    entry.node.kind === "scalar" && entry.node.value !== null ? [[entry.key, entry.node.written ?? String(entry.node.value)]] : [],
  );
  return Object.fromEntries(pairs);
}
