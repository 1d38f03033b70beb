/** Finds the name of a manifest's pipeline without validation, for reports about invalid manifests. */
import { type Document, isMap, isScalar } from "yaml";
import type { FileSource } from "../../core/ports.ts";
import { environmentOverlay } from "./environment-overlay.ts";
import { readSyntax } from "./yaml-syntax.ts";

export interface PipelineNameRequest {
  /** Manifest files relative to the project root, in merge order. */
  readonly files: readonly string[];
  readonly environment?: string;
  readonly source: FileSource;
  /** The name of a manifest with bare `steps:`. */
  readonly unnamed: string;
}

/** Maximum size of a manifest, in bytes. */
const largest = 1_000_000;

/**
 * The name of the inline pipeline, or the only key of `pipelines`. Undefined if there are several, if the name contains a variable, or if it cannot be
 * read. Never rejects.
 */
export async function pipelineNameIn({ files, environment, source, unnamed }: PipelineNameRequest): Promise<string | undefined> {
  const overlays = environment === undefined || files[0] === undefined ? [] : [environmentOverlay(files[0], environment)];
  const names = new Set<string>();
  let inline: string | undefined;
  for (const file of [...files, ...overlays]) {
    const read = await source.read(file, largest, "anywhere");
    if (read.kind !== "bytes") continue;
    const syntax = readSyntax(Buffer.from(read.bytes).toString("utf8"));
    if (syntax.kind !== "document") continue;
    const found = namesOf(syntax.document, unnamed);
    inline = found.inline ?? inline;
    for (const name of found.listed) names.add(name);
  }
  if (inline !== undefined) names.add(inline);
  const [only] = names;
  return names.size === 1 && only !== undefined && only !== "" && !only.includes("${") ? only : undefined;
}

function namesOf(document: Document, unnamed: string): { readonly inline?: string; readonly listed: readonly string[] } {
  const { contents } = document;
  if (!isMap(contents)) return { listed: [] };
  const pipelines = contents.get("pipelines");
  const listed = isMap(pipelines) ? pipelines.items.flatMap(({ key }) => (isScalar(key) ? [String(key.value)] : [])) : [];
  const pipeline = contents.get("pipeline");
  if (isMap(pipeline)) return { inline: textOf(pipeline.get("name")) ?? "pipeline", listed };
  return contents.has("steps") ? { inline: textOf(contents.get("name")) ?? unnamed, listed } : { listed };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
