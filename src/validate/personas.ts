/**
 * Finds and reads personas: the manifest's own first, then files in `.wave/personas/`, then the built-in library. Each is read
 * once, also when no step uses it, so that its mistakes show.
 */
import { digestOfValue } from "../model/digest.ts";
import type { DocumentNode, Origin } from "../model/document.ts";
import type { JsonValue } from "../model/json.ts";
import { isJsonObject } from "../model/json.ts";
import type { KnownPersona } from "../model/loaded.ts";
import { normalizePath } from "../model/project-path.ts";
import { checkEither } from "./exclusive-keys.ts";
import { collectFindings, type Findings } from "./findings.ts";
import { readPermissions } from "./permission-rules.ts";
import { asAdapter, asCommand, asEnv, asLocated, asText, entries, given, type Located, member, texts } from "./read-node.ts";
import { readResources } from "./read-quantity.ts";
import { requireText, type Scope } from "./scope.ts";

/** A persona with what its steps take from it. */
export interface ReadPersona extends KnownPersona {
  /** Where `adapter` is written. */
  readonly adapterOrigin?: Origin;
  /** Written behind its name. */
  readonly adapterVersion?: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface PersonaDirectory {
  /** Reports an unknown name. */
  find(name: Located): ReadPersona | undefined;
  /** Secrets that any of the project's personas declares. */
  readonly secrets: readonly string[];
  /** Those of the project, then those of the library that none of them replaces. */
  all(): readonly KnownPersona[];
}

/** Reads every persona of the project; those of the library when they are asked for. */
export function readPersonas(scope: Scope): PersonaDirectory {
  const personas = new Map<string, ReadPersona | undefined>();
  const inManifest = entries(member(scope.manifest, "personas"));
  for (const { name, file, document } of scope.loaded.personas) {
    if (!inManifest.some((entry) => entry.key === name))
      personas.set(name, readPersona(name, document, scope, { file, range: document.origin.range }));
  }
  for (const { key, node, keyOrigin } of inManifest) {
    const path = asLocated(node);
    personas.set(key, path === undefined ? readPersona(key, node, scope, keyOrigin) : personaFile(key, path, scope));
  }
  const secrets = [...personas.values()].flatMap((read) => read?.secrets ?? []);
  const { library } = scope.options;
  const own = new Set(personas.keys());
  const ofLibrary = (name: string, origin: Origin): ReadPersona | undefined => {
    const definition = library.get(name);
    if (definition === undefined) return undefined;
    const node = asNode(JSON.parse(JSON.stringify(definition)) as JsonValue, origin);
    return readPersona(name, node, { ...scope, findings: collectFindings() });
  };
  return {
    secrets,
    all: () => [
      ...[...own].flatMap((name) => personas.get(name) ?? []),
      ...[...library.keys()].filter((name) => !own.has(name)).flatMap((name) => ofLibrary(name, scope.manifest.origin) ?? []),
    ],
    find(name) {
      const found = personas.has(name.text) ? undefined : ofLibrary(name.text, name.origin);
      if (found !== undefined) personas.set(name.text, found);
      if (!personas.has(name.text)) reportUnknown(name, [...personas.keys(), ...library.keys()], scope.findings);
      return personas.get(name.text);
    },
  };
}

function reportUnknown(name: Located, known: readonly string[], findings: Findings): void {
  findings.error(
    "W301",
    `no persona is called \`${name.text}\``,
    name.origin,
    findings.guess(name.text, known, "define it under `personas:` or in `.wave/personas/`"),
  );
}

/** A persona that the manifest takes from a file. What is wrong with the file, loading says; the name counts as known. */
function personaFile(name: string, path: Located, scope: Scope): ReadPersona | undefined {
  const found = scope.loaded.personas.find((persona) => persona.name === name && normalizePath(persona.file) === normalizePath(path.text));
  if (found !== undefined) return readPersona(name, found.document, scope, found.document.origin);
  requireText(scope, path.text, "the persona file", path.origin);
  return undefined;
}

function readPersona(name: string, node: DocumentNode, scope: Scope, origin?: Origin): ReadPersona {
  const { findings } = scope;
  checkEither(node, "prompt", "system_prompt", findings);
  const adapter = asAdapter(member(node, "adapter"));
  const command = asCommand(member(node, "command"));
  const permissions = readPermissions(member(node, "permissions"), "persona", findings);
  const model = asText(member(node, "model"));
  const systemPrompt = promptOf(node, scope);
  // Origins are left out: moving a persona must not make its work stale.
  const shape = { systemPrompt, model, command, adapter: adapter?.name, allow: permissions?.allow, deny: permissions?.deny };
  const description = asText(member(node, "description"));
  return {
    persona: {
      name,
      ...given("description", description),
      ...given("model", model),
      systemPrompt,
      ...given("origin", origin),
      digest: digestOfValue(shape),
    },
    ...given("adapter", adapter?.name),
    ...given("adapterVersion", adapter?.version),
    ...given("adapterOrigin", member(node, "adapter")?.origin),
    ...given("command", command),
    ...given("permissions", permissions),
    resources: readResources(member(node, "resources"), findings),
    env: asEnv(member(node, "env")),
    secrets: texts(member(node, "secrets")).map(({ text }) => text),
  };
}

function promptOf(node: DocumentNode, scope: Scope): string {
  const path = asLocated(member(node, "prompt"));
  const inline = asText(member(node, "system_prompt"));
  if (path === undefined) return inline ?? "";
  return requireText(scope, path.text, "the prompt", path.origin)?.text ?? "";
}

/** A plain value as a document, all of it at one place. */
function asNode(value: JsonValue, origin: Origin): DocumentNode {
  if (Array.isArray(value)) return { kind: "list", items: value.map((item: JsonValue) => asNode(item, origin)), origin };
  if (!isJsonObject(value)) return { kind: "scalar", value: value as string | number | boolean | null, origin };
  const members = Object.entries(value).map(([key, part]) => [key, { key, keyOrigin: origin, node: asNode(part, origin) }] as const);
  return { kind: "map", entries: new Map(members), origin };
}
