/**
 * Merges the definitions of a persona: built-in, file in `.wave/personas/`, manifest with overlays. `extends: NAME` replaces the built-in persona as the
 * base. Pure. Values keep their source positions.
 */
import type { DocumentNode, MapNode, Origin } from "../../core/document.ts";
import type { JsonValue } from "../../core/json.ts";
import { isJsonObject } from "../../core/json.ts";
import type { LoadedPersona } from "../../core/loaded.ts";
import { normalizePath } from "../../core/project-path.ts";
import type { PersonaDocument } from "../schema/manifest.ts";
import { mergePersona } from "../schema/persona-document.ts";
import { collectFindings, type Findings } from "./findings.ts";
import { asBoolean, asLocated, asText, entries, items, type Located, member } from "./read-node.ts";

/** A merged persona. */
export interface PersonaDefinition {
  readonly document: MapNode;
  /** Position of the project's definition. Undefined for an unchanged built-in persona. */
  readonly origin?: Origin;
  /** Deny rules that `permissions: { replace: true }` dropped, as written. */
  readonly droppedRules: readonly string[];
}

export interface PersonaSources {
  /** The merged manifest. */
  readonly manifest: MapNode;
  /** Persona files of the project. */
  readonly files: readonly LoadedPersona[];
  readonly library: ReadonlyMap<string, PersonaDocument>;
}

export interface PersonaLayers {
  /** Names that the project defines or changes, in source order. */
  readonly own: readonly string[];
  /** The merged definition. Undefined if the name is unknown or its file was not read. Reports unknown and circular `extends`. */
  define(name: string, findings: Findings): PersonaDefinition | undefined;
}

/** Maximum length of a chain of `extends`. */
const longestChain = 10;

export function personaLayers(sources: PersonaSources): PersonaLayers {
  const inManifest = new Map(entries(member(sources.manifest, "personas")).map((entry) => [entry.key, entry]));
  const own = [...new Set([...sources.files.map(({ name }) => name), ...inManifest.keys()])];
  const known = [...new Set([...own, ...sources.library.keys()])];

  function layersOf(name: string): readonly Layer[] | undefined {
    const entry = inManifest.get(name);
    const path = asLocated(entry?.node);
    const files = sources.files.filter((file) => file.name === name);
    const isNamed = (file: LoadedPersona) => path !== undefined && normalizePath(path.text) === normalizePath(file.file);
    const found = files.filter((file) => !isNamed(file)).map(layerOfFile);
    if (entry === undefined) return found;
    if (path === undefined) return [...found, { node: entry.node, origin: entry.keyOrigin }];
    const named = files.find(isNamed);
    return named === undefined ? undefined : [...found, layerOfFile(named)];
  }

  function define(name: string, findings: Findings, chain: readonly string[]): PersonaDefinition | undefined {
    const layers = layersOf(name);
    if (layers === undefined) return undefined;
    const base = baseOf(name, layers, findings, [...chain, name]);
    if (base === undefined && layers.length === 0) return undefined;
    const origin = layers.at(-1)?.origin;
    const merged = layers.reduce((under, { node }) => (node.kind === "map" ? layOver(under, node) : under), base ?? empty(origin));
    return origin === undefined ? merged : { ...merged, origin };
  }

  function baseOf(name: string, layers: readonly Layer[], findings: Findings, chain: readonly string[]): PersonaDefinition | undefined {
    const parent = [...layers].reverse().flatMap(({ node }) => asLocated(member(node, "extends")) ?? [])[0];
    if (parent === undefined) return builtIn(name, sources.library);
    if (chain.includes(parent.text)) return reportCycle(parent, chain, findings);
    if (chain.length >= longestChain) return reportLongChain(parent, findings);
    if (!known.includes(parent.text)) {
      const hint = findings.guess(parent.text, known, "run `wave persona list` to see all personas");
      findings.error("W301", `\`extends\` refers to the unknown persona \`${parent.text}\``, parent.origin, hint);
      return undefined;
    }
    const base = define(parent.text, findings, chain);
    if (base === undefined) return undefined;
    const { origin: _, ...inherited } = base;
    return inherited;
  }

  return { own, define: (name, findings) => define(name, findings, []) };
}

/** Returns the manifest with merged personas. Paths of persona files are kept. */
export function withMergedPersonas(sources: PersonaSources): MapNode {
  const personas = sources.manifest.entries.get("personas");
  if (personas?.node.kind !== "map") return sources.manifest;
  const layers = personaLayers(sources);
  const merged = new Map(personas.node.entries);
  for (const [name, entry] of merged) {
    const definition = entry.node.kind === "map" ? layers.define(name, collectFindings()) : undefined;
    if (definition !== undefined) merged.set(name, { ...entry, node: definition.document });
  }
  return {
    ...sources.manifest,
    entries: new Map([...sources.manifest.entries, ["personas", { ...personas, node: { ...personas.node, entries: merged } }]]),
  };
}

interface Layer {
  readonly node: DocumentNode;
  readonly origin: Origin;
}

function layerOfFile({ file, document }: LoadedPersona): Layer {
  return { node: document, origin: { file, range: document.origin.range } };
}

function builtIn(name: string, library: ReadonlyMap<string, PersonaDocument>): PersonaDefinition | undefined {
  const definition = library.get(name);
  if (definition === undefined) return undefined;
  const origin: Origin = { file: `<built-in>/${name}`, range: { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } } };
  const document = asNode(JSON.parse(JSON.stringify(definition)) as JsonValue, origin);
  return document.kind === "map" ? { document, droppedRules: [] } : undefined;
}

function empty(origin: Origin | undefined): PersonaDefinition {
  const start = { line: 1, column: 1 };
  return { document: { kind: "map", entries: new Map(), origin: origin ?? { file: "", range: { start, end: start } } }, droppedRules: [] };
}

function layOver({ document, droppedRules }: PersonaDefinition, over: MapNode): PersonaDefinition {
  const replaced = asBoolean(member(member(over, "permissions"), "replace")) === true;
  const denied = items(member(member(document, "permissions"), "deny")).flatMap((item) => asText(item) ?? []);
  return { document: mergePersona(document, over), droppedRules: replaced ? [...droppedRules, ...denied] : droppedRules };
}

function reportCycle(parent: Located, chain: readonly string[], findings: Findings): undefined {
  const cycle = [...chain.slice(chain.indexOf(parent.text)), parent.text].map((name) => `\`${name}\``).join(" → ");
  findings.error("W315", `personas extend each other in a cycle: ${cycle}`, parent.origin, { hint: "remove one `extends`" });
}

function reportLongChain(parent: Located, findings: Findings): undefined {
  findings.error("W315", `the chain of \`extends\` is longer than ${longestChain}`, parent.origin, {
    hint: "merge some of the personas",
  });
}

/** Converts a plain value to a document in which all nodes have the same origin. */
function asNode(value: JsonValue, origin: Origin): DocumentNode {
  if (Array.isArray(value)) return { kind: "list", items: value.map((item: JsonValue) => asNode(item, origin)), origin };
  if (!isJsonObject(value)) return { kind: "scalar", value: value as string | number | boolean | null, origin };
  const members = Object.entries(value).map(([key, part]) => [key, { key, keyOrigin: origin, node: asNode(part, origin) }] as const);
  return { kind: "map", entries: new Map(members), origin };
}
