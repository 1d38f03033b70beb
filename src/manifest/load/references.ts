/** Finds the files that documents refer to. Ignores values of the wrong type, which validation reports. */
import path from "node:path";
import { type DocumentNode, type MapNode, nodeAt, type Origin } from "../../core/document.ts";
import { defaultSchema, normalizePath } from "../../core/project-path.ts";

/** A path as written, with its position. */
export interface FileReference {
  readonly path: string;
  readonly origin: Origin;
}

export interface PipelineFile extends FileReference {
  readonly name: string;
  readonly version?: string;
  readonly active: boolean;
}

export interface PersonaFile extends FileReference {
  readonly name: string;
}

/** The files in `pipelines`, in manifest order. `active` marks the version that runs by default. */
export function pipelineFiles(manifest: MapNode): PipelineFile[] {
  return members(nodeAt(manifest, ["pipelines"])).flatMap(([name, node]): PipelineFile[] => {
    const single = referenceIn(node);
    if (single !== undefined) return [{ name, active: true, ...single }];
    const active = nodeAt(node, ["active"]);
    const chosen = active?.kind === "scalar" && active.value !== null ? String(active.value) : undefined;
    return members(nodeAt(node, ["versions"])).flatMap(([version, file]) => {
      const reference = referenceIn(file);
      return reference === undefined ? [] : [{ name, version, active: version === chosen, ...reference }];
    });
  });
}

/** Personas that are paths of files. */
export function personaFiles(manifest: MapNode): PersonaFile[] {
  return members(nodeAt(manifest, ["personas"])).flatMap(([name, node]) => {
    const reference = referenceIn(node);
    return reference === undefined ? [] : [{ name, ...reference }];
  });
}

/** The `prompt` files of personas in the manifest. */
export function inlinePrompts(manifest: MapNode): string[] {
  return members(nodeAt(manifest, ["personas"])).flatMap(([, persona]) => promptFiles(persona));
}

/** The `prompt` file of a persona, if it has one. */
export function promptFiles(persona: DocumentNode): string[] {
  return pathIn(nodeAt(persona, ["prompt"]));
}

/** The `schema` files of all contracts in a manifest or a pipeline file. */
export function contractSchemas(document: DocumentNode): string[] {
  const schemas = pathIn(nodeAt(document, ["defaults", "contract", "schema"]));
  for (const steps of [nodeAt(document, ["steps"]), nodeAt(document, ["pipeline", "steps"])]) {
    for (const step of items(steps)) {
      const handover = nodeAt(step, ["handover"]);
      if (handover === undefined) continue;
      const single = nodeAt(handover, ["contract"]);
      for (const contract of [...(single === undefined ? [] : [single]), ...items(nodeAt(handover, ["contracts"]))])
        schemas.push(...schemaOf(contract, step));
    }
  }
  return schemas;
}

/** A contract's `schema`, or the default schema of its artifact or of the step's only artifact. */
function schemaOf(contract: DocumentNode, step: DocumentNode): string[] {
  const schema = pathIn(nodeAt(contract, ["schema"]));
  const type = nodeAt(contract, ["type"]);
  if (schema.length > 0 || type?.kind !== "scalar" || type.value !== "json_schema") return schema;
  const [first, ...others] = items(nodeAt(step, ["artifacts"]));
  const only = others.length === 0 && first !== undefined ? (first.kind === "map" ? nodeAt(first, ["name"]) : first) : undefined;
  const artifact = nodeAt(contract, ["artifact"]) ?? only;
  return artifact?.kind === "scalar" && typeof artifact.value === "string" ? [defaultSchema(artifact.value)] : [];
}

/**
 * The local files that a JSON Schema refers to with `$ref` or `$dynamicRef`, relative to the project root. Excludes URLs and references within the file.
 * Empty if the text is not JSON.
 */
export function schemaReferences(file: string, text: string): string[] {
  if (!text.includes('Ref"') && !text.includes("$ref")) return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  const found = new Set<string>();
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const current = pending.pop();
    if (typeof current !== "object" || current === null) continue;
    for (const [key, member] of Object.entries(current)) {
      if (typeof member !== "string") pending.push(member);
      else if (key === "$ref" || key === "$dynamicRef") {
        const target = localTarget(member);
        // Schema URIs start at the project root, so a leading slash means the root.
        if (target !== undefined)
          found.add(target.startsWith("/") ? normalizePath(target.slice(1)) : path.posix.join(path.posix.dirname(file), target));
      }
    }
  }
  return [...found].sort();
}

function localTarget(reference: string): string | undefined {
  const target = reference.split("#", 1)[0] ?? "";
  if (target === "" || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(target) || target.startsWith("//") || target === "/") return undefined;
  try {
    return decodeURIComponent(target);
  } catch {
    return target;
  }
}

function members(node: DocumentNode | undefined): [string, DocumentNode][] {
  return node?.kind === "map" ? [...node.entries].map(([key, entry]) => [key, entry.node]) : [];
}

function items(node: DocumentNode | undefined): readonly DocumentNode[] {
  return node?.kind === "list" ? node.items : [];
}

function referenceIn(node: DocumentNode | undefined): FileReference | undefined {
  if (node?.kind !== "scalar" || typeof node.value !== "string" || node.value.trim() === "") return undefined;
  return { path: node.value, origin: node.origin };
}

function pathIn(node: DocumentNode | undefined): string[] {
  const reference = referenceIn(node);
  return reference === undefined ? [] : [reference.path];
}
