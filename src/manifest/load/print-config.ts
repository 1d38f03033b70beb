/** Prints a manifest after overlays and substitution, as YAML or as a list of origins. */
import { Document, type Scalar, visit } from "yaml";
import { type DocumentNode, type MapEntry, type MapNode, type Origin, toValue } from "../../core/document.ts";
import type { Redactor } from "../../core/ports.ts";
import { collectSecretNames } from "./secret-names.ts";

/** The source position of the value at a JSON pointer. Lines and columns start at 1. */
export interface ConfigOrigin {
  readonly pointer: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const mask = "***";

/** The manifest as YAML with masked secrets. `origins` adds `# file:line` to each scalar. */
export function resolvedConfig(manifest: MapNode, options: { readonly origins?: boolean; readonly redactor?: Redactor } = {}): string {
  const shown = escapeVariables(maskSecrets(manifest, options.redactor));
  const document = new Document(toValue(shown), { aliasDuplicateObjects: false });
  if (options.origins === true) annotate(document, leavesOf(shown));
  return document.toString({ lineWidth: 0 });
}

/** One entry per scalar or empty collection, in manifest order. */
export function configOrigins(manifest: MapNode): ConfigOrigin[] {
  return leavesOf(manifest).map(({ pointer, origin }) => ({ pointer, file: origin.file, ...origin.range.start }));
}

/**
 * Replaces `env` values whose names are declared as secrets by `***`, and secrets that `redactor` finds in any text. Other `env` values keep their
 * source text.
 */
export function maskSecrets(manifest: MapNode, redactor?: Redactor): MapNode {
  const secrets = new Set<string>();
  collectSecretNames(manifest, secrets);
  const masked = maskMap(manifest, secrets, false);
  return redactor === undefined ? masked : (redactNode(masked, redactor) as MapNode);
}

/** Escapes every `${` in values as `$${`, so that reading the output substitutes nothing. */
export function escapeVariables(manifest: MapNode): MapNode {
  return escapeNode(manifest) as MapNode;
}

function escapeNode(node: DocumentNode): DocumentNode {
  if (node.kind === "list") return { ...node, items: node.items.map(escapeNode) };
  if (node.kind === "map")
    return { ...node, entries: new Map([...node.entries].map(([key, entry]) => [key, { ...entry, node: escapeNode(entry.node) }])) };
  return typeof node.value === "string" ? { ...node, value: node.value.replaceAll("${", () => "$${") } : node;
}

function redactNode(node: DocumentNode, redactor: Redactor): DocumentNode {
  if (node.kind === "list") return { ...node, items: node.items.map((item) => redactNode(item, redactor)) };
  if (node.kind === "scalar") return typeof node.value === "string" ? { ...node, value: redactor.text(node.value) } : node;
  const entries = new Map(
    [...node.entries].map(([key, entry]) => [redactor.text(key), { ...entry, node: redactNode(entry.node, redactor) }]),
  );
  return { ...node, entries };
}

function maskMap(node: MapNode, secrets: ReadonlySet<string>, isEnv: boolean): MapNode {
  const entries = new Map<string, MapEntry>();
  for (const [key, entry] of node.entries) {
    const hidden = isEnv && secrets.has(key);
    const shown: DocumentNode = hidden
      ? { kind: "scalar", value: mask, origin: entry.node.origin }
      : maskNode(entry.node, secrets, key === "env");
    entries.set(key, { ...entry, node: isEnv ? asWritten(shown) : shown });
  }
  return { ...node, entries };
}

/** An `env` value with its source text. */
function asWritten(node: DocumentNode): DocumentNode {
  return node.kind === "scalar" && node.written !== undefined ? { kind: "scalar", value: node.written, origin: node.origin } : node;
}

function maskNode(node: DocumentNode, secrets: ReadonlySet<string>, isEnv: boolean): DocumentNode {
  if (node.kind === "map") return maskMap(node, secrets, isEnv);
  return node.kind === "list" ? { ...node, items: node.items.map((item) => maskNode(item, secrets, false)) } : node;
}

interface Leaf {
  readonly pointer: string;
  readonly origin: Origin;
}

/** Scalars and empty collections, in order. */
function leavesOf(root: DocumentNode): Leaf[] {
  const leaves: Leaf[] = [];
  const walk = (node: DocumentNode, pointer: string): void => {
    const members: [string | number, DocumentNode][] =
      node.kind === "map"
        ? [...node.entries].map(([key, entry]) => [key, entry.node])
        : node.kind === "list"
          ? [...node.items.entries()]
          : [];
    if (members.length === 0) leaves.push({ pointer, origin: node.origin });
    for (const [key, member] of members) walk(member, `${pointer}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`);
  };
  walk(root, "");
  return leaves;
}

/** Adds origins. `document` has the same leaves in the same order, because both come from one tree. */
function annotate(document: Document, leaves: readonly Leaf[]): void {
  let next = 0;
  const comment = (node: Scalar) => {
    const leaf = leaves[next++];
    if (leaf !== undefined) node.comment = ` ${leaf.origin.file}:${leaf.origin.range.start.line}`;
  };
  visit(document, {
    Scalar: (key, node) => {
      if (key !== "key") comment(node);
    },
    // An empty collection counts as a leaf, but a comment would break its format.
    Collection: (_, node) => {
      if (node.items.length === 0) next++;
    },
  });
}
