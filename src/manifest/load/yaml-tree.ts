/**
 * Converts the parser's nodes to document nodes with exact ranges. Reports duplicate keys and resolves aliases within limits. An alias shares the node of
 * its anchor, but counts with its full size and depth, because later stages walk the expanded tree.
 */
import { isAlias, isMap, isScalar, isSeq, type Node, type ParsedNode, type Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import { defined } from "../../core/defined.ts";
import type { Diagnostic, DiagnosticCode } from "../../core/diagnostic.ts";
import type { DocumentNode, MapEntry, Origin, ScalarNode } from "../../core/document.ts";
import type { LineIndex } from "./source-text.ts";

/** Maximum number of nodes that all aliases of a file add. */
const expansionLimit = 100_000;
/** Maximum nesting of collections. */
const depthLimit = 100;

const coreTags = new Set(["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`).concat("!"));

export interface SourceFile {
  readonly file: string;
  readonly text: string;
  readonly lines: LineIndex;
}

export interface YamlTree {
  readonly node: DocumentNode;
  readonly plain: ReadonlySet<ScalarNode>;
  readonly diagnostics: readonly Diagnostic[];
}

/** An anchored node. `node` is undefined while it is being read. */
interface Anchored {
  readonly node?: DocumentNode;
  /** Number of nodes including itself, with expanded aliases. */
  readonly size: number;
  /** Nesting depth below it. */
  readonly height: number;
}

interface Walk extends SourceFile {
  readonly plain: Set<ScalarNode>;
  readonly diagnostics: Diagnostic[];
  readonly anchors: Map<string, Anchored>;
  /** Number of nodes so far, with expanded aliases. */
  size: number;
  /** Number of nodes that aliases added. */
  expanded: number;
  /** The deepest level since it was last reset. */
  deepest: number;
  /** A limit was exceeded and reported. */
  stopped: boolean;
}

/** Builds the document of a parsed file. With a W101 or W106 diagnostic, the node is incomplete. */
export function buildTree(contents: ParsedNode, source: SourceFile): YamlTree {
  const walk: Walk = { ...source, plain: new Set(), diagnostics: [], anchors: new Map(), size: 0, expanded: 0, deepest: 0, stopped: false };
  const node = build(contents, walk, 0);
  return { node, plain: walk.plain, diagnostics: walk.diagnostics };
}

function build(node: Node, walk: Walk, depth: number): DocumentNode {
  if (walk.stopped) return nothing(walk, node);
  walk.size++;
  if (depth > walk.deepest) walk.deepest = depth;
  if (isAlias(node)) return resolveAlias(node.source, node, walk, depth);
  if (depth > depthLimit) return stop(walk, node, `collections are nested more than ${depthLimit} levels deep`);
  if (node.tag !== undefined && !coreTags.has(node.tag)) {
    report(walk, "W110", `the tag \`${node.tag}\` is not supported in a manifest`, originOf(walk, node), "remove the tag");
  }
  const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
  return anchor === undefined ? buildBare(node, walk, depth) : buildAnchored(anchor, node, walk, depth);
}

function buildBare(node: Node, walk: Walk, depth: number): DocumentNode {
  if (isScalar(node)) return buildScalar(node, walk);
  if (isMap(node)) return buildMap(node, walk, depth);
  return isSeq(node) ? buildList(node, walk, depth) : nothing(walk, node);
}

function buildAnchored(anchor: string, node: Node, walk: Walk, depth: number): DocumentNode {
  const sizeBefore = walk.size - 1;
  const outerDeepest = walk.deepest;
  walk.deepest = depth;
  walk.anchors.set(anchor, { size: 0, height: 0 });
  const built = buildBare(node, walk, depth);
  walk.anchors.set(anchor, { node: built, size: walk.size - sizeBefore, height: walk.deepest - depth });
  walk.deepest = Math.max(outerDeepest, walk.deepest);
  return built;
}

function resolveAlias(name: string, node: Node, walk: Walk, depth: number): DocumentNode {
  const anchored = walk.anchors.get(name);
  if (anchored === undefined) {
    report(walk, "W101", `there is no anchor \`&${name}\` before \`*${name}\``, originOf(walk, node));
    return nothing(walk, node);
  }
  if (anchored.node === undefined) return stop(walk, node, `\`*${name}\` is inside its own anchor`);
  walk.expanded += anchored.size;
  walk.size += anchored.size - 1;
  if (walk.expanded > expansionLimit) return stop(walk, node, `aliases expand to more than ${expansionLimit} nodes`);
  if (depth + anchored.height > depthLimit) return stop(walk, node, `aliases nest more than ${depthLimit} levels deep`);
  walk.deepest = Math.max(walk.deepest, depth + anchored.height);
  return anchored.node;
}

function buildScalar(node: Scalar, walk: Walk): ScalarNode {
  const { value } = node;
  const known = typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null;
  const isTyped = node.type === "PLAIN" && (typeof value === "number" || typeof value === "boolean");
  const written = isTyped && node.source !== undefined && node.source !== String(value) ? { written: node.source } : {};
  const scalar: ScalarNode = { kind: "scalar", value: known ? value : String(value), ...written, origin: originOf(walk, node) };
  if (node.type === "PLAIN" && typeof value === "string" && value.includes("$")) walk.plain.add(scalar);
  return scalar;
}

function buildList(list: YAMLSeq, walk: Walk, depth: number): DocumentNode {
  const items: DocumentNode[] = [];
  for (const item of list.items) items.push(build(item as Node, walk, depth + 1));
  return { kind: "list", items, origin: collectionOrigin(walk, list, list.items.at(-1) as Node | undefined) };
}

function buildMap(map: YAMLMap, walk: Walk, depth: number): DocumentNode {
  const entries = new Map<string, MapEntry>();
  let last: Node | undefined;
  for (const pair of map.items) {
    const keyNode = pair.key as Node;
    last = (pair.value as Node | null) ?? keyNode;
    const key = keyOf(keyNode, walk);
    if (key === undefined) continue;
    const keyOrigin = originOf(walk, keyNode);
    const node = pair.value === null ? emptyAt(keyOrigin) : build(pair.value as Node, walk, depth + 1);
    const first = entries.get(key);
    if (first === undefined) entries.set(key, { key, keyOrigin, node });
    else reportDuplicate(walk, key, keyOrigin, first.keyOrigin);
  }
  return { kind: "map", entries, origin: collectionOrigin(walk, map, last) };
}

/** The text of a key. Other scalars are reported, and their source text is used. */
function keyOf(node: Node, walk: Walk): string | undefined {
  const origin = originOf(walk, node);
  if (!isScalar(node)) {
    report(walk, "W110", "a key must be a string", origin);
    return undefined;
  }
  if (typeof node.value !== "string") {
    const written = node.source ?? String(node.value);
    report(walk, "W110", `the key \`${written}\` is not a string`, origin, `quote it: \`"${written}"\``, `"${written}"`);
    return written;
  }
  if (node.value === "<<" && node.type === "PLAIN") {
    report(walk, "W110", "merge keys (`<<`) are not supported", origin, "write the keys out");
    return undefined;
  }
  if (node.anchor !== undefined) walk.anchors.set(node.anchor, { node: { kind: "scalar", value: node.value, origin }, size: 1, height: 0 });
  return node.value;
}

function reportDuplicate(walk: Walk, key: string, origin: Origin, first: Origin): void {
  walk.diagnostics.push({
    code: "W105",
    severity: "error",
    message: `the key \`${key}\` appears twice in this map`,
    origin,
    hint: `remove one of them; the first one is on line ${first.range.start.line}`,
    related: [{ message: `\`${key}\` is set here first`, origin: first }],
  });
}

function report(walk: Walk, code: DiagnosticCode, message: string, origin: Origin, hint?: string, fix?: string): void {
  walk.diagnostics.push({
    code,
    severity: "error",
    message,
    origin,
    ...defined({ hint, fix }),
  });
}

function stop(walk: Walk, node: Node, message: string): DocumentNode {
  walk.stopped = true;
  report(walk, "W106", message, originOf(walk, node));
  return nothing(walk, node);
}

function nothing(walk: Walk, node: Node): ScalarNode {
  return { kind: "scalar", value: null, origin: originOf(walk, node) };
}

function emptyAt(key: Origin): ScalarNode {
  return { kind: "scalar", value: null, origin: { file: key.file, range: { start: key.range.end, end: key.range.end } } };
}

function originOf(walk: Walk, node: Node): Origin {
  const [start, end] = node.range ?? [0, 0];
  return between(walk, start, end);
}

/** A block collection ends with its last member. The parser's range includes trailing comments and blank lines. */
function collectionOrigin(walk: Walk, collection: YAMLMap | YAMLSeq, last: Node | undefined): Origin {
  const [start, end] = collection.range ?? [0, 0];
  return between(walk, start, collection.flow === true ? end : (lastOffset(last) ?? end));
}

function lastOffset(node: Node | undefined): number | undefined {
  if ((isMap(node) || isSeq(node)) && node.flow !== true) {
    const item: unknown = node.items.at(-1);
    const inner = isMap(node)
      ? ((item as { value?: Node | null } | undefined)?.value ?? (item as { key?: Node } | undefined)?.key)
      : (item as Node | undefined);
    return lastOffset(inner) ?? node.range?.[1];
  }
  return node?.range?.[1];
}

function between(walk: Walk, start: number, end: number): Origin {
  let stop = end;
  while (stop > start && (walk.text[stop - 1] === "\n" || walk.text[stop - 1] === "\r")) stop--;
  return { file: walk.file, range: { start: walk.lines.positionAt(start), end: walk.lines.positionAt(stop) } };
}
