/** Reads the manifest and its overlays and merges them into one map. Does not substitute variables. */
import path from "node:path";
import { defined } from "../../core/defined.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { MapNode, ScalarNode } from "../../core/document.ts";
import type { NamedFile } from "../../core/loaded.ts";
import { normalizePath } from "../../core/project-path.ts";
import { droppedDenials } from "./dropped-denials.ts";
import { environmentOverlay, environmentsBeside, isEnvironmentName } from "./environment-overlay.ts";
import { mergeMaps } from "./merge.ts";
import type { ProjectReader } from "./project-reader.ts";
import { startOfFile } from "./source-text.ts";

export interface RawManifests {
  /** In merge order. */
  readonly paths: readonly string[];
  readonly files: readonly NamedFile[];
  /** The map of each file, including values that overlays replace. */
  readonly documents: readonly MapNode[];
  readonly merged?: MapNode;
  readonly plain: ReadonlySet<ScalarNode>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the files in order, followed by the environment's overlay. */
export async function readManifests(
  files: readonly string[],
  environment: string | undefined,
  reader: ProjectReader,
): Promise<RawManifests> {
  const paths = files.map(normalizePath);
  const overlay = environment === undefined ? undefined : await findOverlay(paths[0] ?? "wave.yaml", environment, reader);
  const diagnostics: Diagnostic[] = [];
  if (overlay?.kind === "found") paths.push(overlay.path);
  else if (overlay !== undefined) diagnostics.push(overlay.diagnostic);
  const reads = await Promise.all(paths.map((file) => reader.document(file, { kind: "manifest" })));
  const documents: MapNode[] = [];
  const plain = new Set<ScalarNode>();
  for (const read of reads) {
    diagnostics.push(...read.diagnostics);
    for (const scalar of read.plain) plain.add(scalar);
    if (read.node?.kind === "map") documents.push(read.node);
    else if (read.node !== undefined) diagnostics.push(notMap(read.file.path, read.node.origin.range.start));
  }
  const [first, ...overlays] = documents;
  // Without the first file, overlays must not be validated as if they were the manifest.
  const merged = first !== undefined && first === reads[0]?.node ? mergeAll(first, overlays, diagnostics) : undefined;
  return { paths, files: reads.map(({ file }) => file), documents, ...defined({ merged }), plain, diagnostics };
}

function mergeAll(first: MapNode, overlays: readonly MapNode[], diagnostics: Diagnostic[]): MapNode {
  return overlays.reduce((base, overlay) => {
    const merged = mergeMaps(base, overlay);
    diagnostics.push(...droppedDenials(base, overlay, merged));
    return merged;
  }, first);
}

type Overlay = { readonly kind: "found"; readonly path: string } | { readonly kind: "absent"; readonly diagnostic: Diagnostic };

async function findOverlay(first: string, environment: string, reader: ProjectReader): Promise<Overlay> {
  if (!isEnvironmentName(environment)) {
    const message = `\`${environment}\` is not a valid environment name`;
    return {
      kind: "absent",
      diagnostic: {
        code: "W107",
        severity: "error",
        message,
        origin: startOfFile(first),
        hint: "use ASCII letters, digits, `_`, `-` and dots",
      },
    };
  }
  const overlay = environmentOverlay(first, environment);
  const { file } = await reader.document(overlay, { kind: "manifest" });
  if (file.kind !== "missing") return { kind: "found", path: overlay };
  const known = environmentsBeside(first, await reader.list(path.posix.dirname(first)));
  const hint =
    known.length === 0
      ? `create \`${overlay}\`, or omit \`--env\``
      : `known environments: ${known.map((name) => `\`${name}\``).join(", ")}`;
  const message = `\`${overlay}\`, the overlay of the environment \`${environment}\`, does not exist`;
  return { kind: "absent", diagnostic: { code: "W107", severity: "error", message, origin: startOfFile(overlay), hint } };
}

function notMap(file: string, start: { readonly line: number; readonly column: number }): Diagnostic {
  const origin = { file, range: { start, end: start } };
  return {
    code: "W202",
    severity: "error",
    message: `\`${file}\` is not a map`,
    origin,
    hint: "a manifest has top-level keys such as `pipeline` or `steps`",
  };
}
