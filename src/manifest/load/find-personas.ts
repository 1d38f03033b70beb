/** Finds persona files: those that the manifest names, and those in `.wave/personas/`. */
import path from "node:path";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { DocumentNode, MapNode } from "../../core/document.ts";
import { nodeAt } from "../../core/document.ts";
import { normalizePath } from "../../core/project-path.ts";
import type { ProjectReader, ReadDocument, Reason } from "./project-reader.ts";
import { personaFiles, promptFiles } from "./references.ts";
import { startOfFile } from "./source-text.ts";

const personasDirectory = ".wave/personas";

export interface NamedDocument extends ReadDocument {
  readonly name: string;
}

/**
 * Reads the persona files that the manifest names, then those in the directory. A file and a definition in the manifest may have the same name: they are
 * merged later. A Markdown file that its persona uses as `prompt` is not a persona.
 */
export async function loadPersonas(
  manifest: MapNode,
  reader: ProjectReader,
): Promise<{ personas: readonly NamedDocument[]; diagnostics: readonly Diagnostic[] }> {
  const references = personaFiles(manifest);
  const isNamed = (file: string) => references.some((reference) => normalizePath(reference.path) === file);
  const inline = (name: string) => nodeAt(manifest, ["personas", name]);
  const names = await reader.list(personasDirectory);
  const read = (name: string, file: string, reason: Reason) =>
    reader.document(file, reason).then((document): NamedDocument => ({ name, ...document }));
  const named = references.map(({ name, path: file, origin }) => read(name, file, { kind: "named", from: origin }));
  const found = names
    .filter((file) => /^[^.].*\.(?:yaml|yml|md)$/.test(file))
    .filter((file) => !isNamed(`${personasDirectory}/${file}`))
    .filter((file) => !usesAsPrompt(inline(path.posix.parse(file).name), `${personasDirectory}/${file}`))
    .sort((a, b) => rank(a) - rank(b))
    .map((file) => read(path.posix.parse(file).name, `${personasDirectory}/${file}`, { kind: "found" }));
  const { kept, diagnostics } = withoutTwins(await Promise.all(found));
  return { personas: [...(await Promise.all(named)), ...kept], diagnostics };
}

/** YAML before Markdown, which may be its prompt. */
function rank(file: string): number {
  return file.endsWith(".md") ? 1 : 0;
}

function withoutTwins(found: readonly NamedDocument[]): { kept: NamedDocument[]; diagnostics: Diagnostic[] } {
  const kept = new Map<string, NamedDocument>();
  const diagnostics: Diagnostic[] = [];
  for (const persona of found) {
    const twin = kept.get(persona.name);
    if (twin === undefined) kept.set(persona.name, persona);
    else if (!usesAsPrompt(twin.node, persona.file.path)) diagnostics.push(twoFiles(persona, twin));
  }
  return { kept: [...kept.values()], diagnostics };
}

function usesAsPrompt(persona: DocumentNode | undefined, file: string): boolean {
  return persona !== undefined && promptFiles(persona).some((prompt) => normalizePath(prompt) === file);
}

function twoFiles(persona: NamedDocument, twin: NamedDocument): Diagnostic {
  return {
    code: "W312",
    severity: "error",
    message: `two files define the persona \`${persona.name}\``,
    origin: startOfFile(persona.file.path),
    hint: "rename or remove one of them",
    related: [{ message: "the other one", origin: startOfFile(twin.file.path) }],
  };
}
