/**
 * Loads the manifest with its overlays, the pipelines and personas that it names, and the text of all other files that they name. Problems of files are
 * diagnostics, never exceptions. Shapes are checked elsewhere.
 */
import { defined } from "../../core/defined.ts";
import { type Diagnostic, sortDiagnostics } from "../../core/diagnostic.ts";
import type { DocumentNode, MapNode } from "../../core/document.ts";
import type { LoadedPersona, LoadedPipeline, LoadedProject, NamedFile } from "../../core/loaded.ts";
import type { FileSource } from "../../core/ports.ts";
import { loadPersonas } from "./find-personas.ts";
import { interpolate } from "./interpolate.ts";
import { type ProjectReader, projectReader, type ReadDocument } from "./project-reader.ts";
import { type RawManifests, readManifests } from "./read-manifests.ts";
import { inBatches, type NamedPaths, readNamedFiles } from "./read-named-files.ts";
import { contractSchemas, inlinePrompts, pipelineFiles, promptFiles } from "./references.ts";
import { collectSecretNames } from "./secret-names.ts";
import { startOfFile } from "./source-text.ts";
import type { ParsedDocument } from "./yaml-document.ts";

export interface LoadRequest {
  /** Manifest files relative to the project root. The others are merged over the first in order. */
  readonly files: readonly string[];
  /** Adds the overlay `NAME.<environment>.yaml` of the first file as the last one. */
  readonly environment?: string;
  /** Variables for `${VAR}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly source: FileSource;
}

/** Loads a project. `diagnostics` contains all problems of files, syntax and variables, sorted, without duplicates. */
export async function loadProject({ files, environment, env, source }: LoadRequest): Promise<LoadedProject> {
  const reader = projectReader(source);
  const manifests = await readManifests(files, environment, reader);
  const secrets = new Set<string>();
  for (const document of manifests.documents) collectSecretNames(document, secrets);
  for (;;) {
    const known = secrets.size;
    const loaded = await readAll(manifests, { reader, env, secrets });
    // A file may declare a secret that another one substitutes, so repeat until no new secret is found.
    if (secrets.size === known) return loaded;
  }
}

interface Pass {
  readonly reader: ProjectReader;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Secrets found so far. */
  readonly secrets: Set<string>;
  readonly files: Map<string, NamedFile>;
  readonly diagnostics: Diagnostic[];
}

async function readAll(manifests: RawManifests, project: Pick<Pass, "reader" | "env" | "secrets">): Promise<LoadedProject> {
  const pass: Pass = { ...project, files: new Map(), diagnostics: [...manifests.diagnostics] };
  for (const file of manifests.files) pass.files.set(file.path, file);
  const filled = manifests.merged === undefined ? undefined : fill(manifests.merged, manifests, pass);
  const manifest = filled?.kind === "map" ? filled : undefined;
  const pipelines = manifest === undefined ? [] : await readPipelines(manifest, pass);
  const personas = manifest === undefined ? [] : await readPersonaDocuments(manifest, pass);
  if (manifest !== undefined) await readNamedFiles(pathsIn(manifest, pipelines, personas), pass.reader, pass.files);
  return {
    manifestFiles: manifests.paths,
    ...defined({ manifest }),
    pipelines,
    personas,
    files: pass.files,
    diagnostics: sortDiagnostics(distinct(pass.diagnostics)),
  };
}

/** Substitutes variables. Adds secrets that the document declares before or after substitution. */
function fill(node: DocumentNode, parsed: Pick<ParsedDocument, "plain" | "verbatim">, pass: Pass): DocumentNode {
  const textOf = (path: string) => {
    const file = pass.files.get(path);
    return file?.kind === "text" ? file.text : undefined;
  };
  const filled = interpolate(node, { ...parsed, env: pass.env, secrets: pass.secrets, textOf });
  pass.diagnostics.push(...filled.diagnostics);
  collectSecretNames(node, pass.secrets);
  if (filled.node !== node) collectSecretNames(filled.node, pass.secrets);
  return filled.node;
}

/** Records a file and its diagnostics. Returns the document with substituted variables. */
function accept(read: ReadDocument, pass: Pass): DocumentNode | undefined {
  pass.files.set(read.file.path, read.file);
  pass.diagnostics.push(...read.diagnostics);
  return read.node === undefined ? undefined : fill(read.node, read, pass);
}

async function readPipelines(manifest: MapNode, pass: Pass): Promise<LoadedPipeline[]> {
  const references = pipelineFiles(manifest);
  const reads = await inBatches(references, (reference) => pass.reader.document(reference.path, { kind: "named", from: reference.origin }));
  return references.flatMap(({ path: _, origin, ...reference }, index): LoadedPipeline[] => {
    const read = reads[index];
    if (read === undefined) return [];
    const document = accept(read, pass);
    return [{ ...reference, ...defined({ document }), file: read.file.path, reference: origin }];
  });
}

async function readPersonaDocuments(manifest: MapNode, pass: Pass): Promise<LoadedPersona[]> {
  const { personas, diagnostics } = await loadPersonas(manifest, pass.reader);
  pass.diagnostics.push(...diagnostics);
  return personas.map((persona) => {
    const file = persona.file.path;
    // Keep the name of an unreadable persona, so that its steps are not reported too.
    const document = accept(persona, pass) ?? { kind: "map", entries: new Map(), origin: startOfFile(file) };
    return { name: persona.name, file, document };
  });
}

function pathsIn(manifest: MapNode, pipelines: readonly LoadedPipeline[], personas: readonly LoadedPersona[]): NamedPaths {
  const documents = [manifest, ...pipelines.flatMap(({ document }) => document ?? [])];
  return {
    prompts: [...inlinePrompts(manifest), ...personas.flatMap(({ document }) => promptFiles(document))],
    schemas: documents.flatMap(contractSchemas),
  };
}

/** Removes duplicates: several names may refer to one file, and aliases to one value. */
function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    const { file, range } = diagnostic.origin;
    const key = JSON.stringify([diagnostic.code, file, range.start.line, range.start.column, diagnostic.message]);
    if (!found.has(key)) found.set(key, diagnostic);
  }
  return [...found.values()];
}
