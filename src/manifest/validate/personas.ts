/**
 * Reads the personas of the manifest, of `.wave/personas/` and of the built-in library, merged by `persona-layers.ts`. Personas of the project are
 * checked even if no step uses them.
 */
import { defined } from "../../core/defined.ts";
import { digestOfValue } from "../../core/digest.ts";
import type { DocumentNode, Origin } from "../../core/document.ts";
import type { KnownPersona, LoadedProject } from "../../core/loaded.ts";
import { checkEither } from "./exclusive-keys.ts";
import { collectFindings, type Findings, quotedList } from "./findings.ts";
import { readPermissions } from "./permission-rules.ts";
import { type PersonaDefinition, type PersonaLayers, personaLayers } from "./persona-layers.ts";
import { asAdapter, asCommand, asEnv, asLocated, asText, entries, type Located, member, textItems } from "./read-node.ts";
import { readResources } from "./read-quantity.ts";
import { requireText, type Scope } from "./scope.ts";

/** A persona with the settings that its steps inherit. */
export interface ReadPersona extends KnownPersona {
  /** Position of `adapter`. */
  readonly adapterOrigin?: Origin;
  /** The version in `claude@2.1.330`. */
  readonly adapterVersion?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Its deny rules with their positions. */
  readonly denied: readonly Located[];
}

export interface PersonaDirectory {
  /** Undefined for an unknown name, which is reported. */
  find(name: Located): ReadPersona | undefined;
  /** Secrets that personas of the project declare. */
  readonly secrets: readonly string[];
  /** Personas of the project, then the other built-in ones. */
  all(): readonly KnownPersona[];
}

/** Reads all personas of the project. Unchanged built-in personas are read on first use. */
export function readPersonas(scope: Scope): PersonaDirectory {
  const { library } = scope.options;
  const layers = personaLayers({ manifest: scope.manifest, files: scope.loaded.personas, library });
  checkPrompts(scope);
  const personas = new Map(layers.own.map((name) => [name, readOwn(name, layers, scope)]));
  const own = new Set(personas.keys());
  const builtIn = (name: string): ReadPersona | undefined => {
    const quiet = { ...scope, findings: collectFindings() };
    const definition = layers.define(name, quiet.findings);
    return definition === undefined ? undefined : readPersona(name, definition, quiet);
  };
  return {
    secrets: [...personas.values()].flatMap((read) => read?.secrets ?? []),
    all: () => [
      ...[...own].flatMap((name) => personas.get(name) ?? []),
      ...[...library.keys()].filter((name) => !own.has(name)).flatMap((name) => builtIn(name) ?? []),
    ],
    find(name) {
      const found = personas.has(name.text) ? undefined : builtIn(name.text);
      if (found !== undefined) personas.set(name.text, found);
      if (!personas.has(name.text)) reportUnknown(name, [...personas.keys()], [...library.keys()], scope.findings);
      return personas.get(name.text);
    },
  };
}

/** The personas of a project that may have no valid manifest, without those that cannot be read. */
export function knownPersonas(loaded: LoadedProject, library: Scope["options"]["library"]): readonly KnownPersona[] {
  const range = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };
  const manifest = loaded.manifest ?? { kind: "map" as const, entries: new Map(), origin: { file: "", range } };
  return readPersonas({ loaded, manifest, options: { library, checkContract: async () => [] }, findings: collectFindings() }).all();
}

/** Undefined if the manifest names a file that cannot be read; the name still counts as known. */
function readOwn(name: string, layers: PersonaLayers, scope: Scope): ReadPersona | undefined {
  const definition = layers.define(name, scope.findings);
  if (definition !== undefined) return readPersona(name, definition, scope);
  const path = asLocated(member(member(scope.manifest, "personas"), name));
  if (path !== undefined) requireText(scope, path.text, "the persona file", path.origin);
  return undefined;
}

/** Checks each definition before merging: the merged persona only has the prompt that was set last. */
function checkPrompts({ loaded, manifest, findings }: Scope): void {
  const written = [...loaded.personas.map(({ document }) => document), ...entries(member(manifest, "personas")).map(({ node }) => node)];
  for (const node of written) checkEither(node, "prompt", "system_prompt", findings);
}

function reportUnknown(name: Located, own: readonly string[], builtIn: readonly string[], findings: Findings): void {
  const hint = `define it under \`personas:\` or in \`.wave/personas/\`, or use a built-in one: ${quotedList(builtIn, "or", builtIn.length)}`;
  findings.error(
    "W301",
    `there is no persona \`${name.text}\``,
    name.origin,
    findings.guess(name.text, [...own, ...builtIn], builtIn.length === 0 ? "define it under `personas:` or in `.wave/personas/`" : hint),
  );
}

function readPersona(name: string, { document: node, origin, droppedRules }: PersonaDefinition, scope: Scope): ReadPersona {
  const { findings } = scope;
  const adapter = asAdapter(member(node, "adapter"));
  const command = asCommand(member(node, "command"));
  const written = readPermissions(member(node, "permissions"), "persona", findings);
  const dropped = droppedRules.filter((rule) => !written?.deny.some(({ text }) => text === rule));
  const permissions = written === undefined || dropped.length === 0 ? written : { ...written, dropped };
  const model = asText(member(node, "model"));
  const systemPrompt = promptOf(node, scope);
  // Without origins: moving a definition must not invalidate results.
  const shape = { systemPrompt, model, command, adapter: adapter?.name, allow: permissions?.allow, deny: permissions?.deny };
  const description = asText(member(node, "description"));
  return {
    persona: {
      name,
      ...defined({ description, model }),
      systemPrompt,
      ...defined({ origin }),
      digest: digestOfValue(shape),
    },
    ...defined({
      adapter: adapter?.name,
      adapterVersion: adapter?.version,
      adapterOrigin: member(node, "adapter")?.origin,
      command,
      permissions,
    }),
    resources: readResources(member(node, "resources"), findings),
    env: asEnv(member(node, "env")),
    denied: textItems(member(member(node, "permissions"), "deny")),
    secrets: textItems(member(node, "secrets")).map(({ text }) => text),
  };
}

function promptOf(node: DocumentNode, scope: Scope): string {
  const path = asLocated(member(node, "prompt"));
  const inline = asText(member(node, "system_prompt"));
  if (path === undefined) return inline ?? "";
  return requireText(scope, path.text, "the prompt", path.origin)?.text ?? "";
}
