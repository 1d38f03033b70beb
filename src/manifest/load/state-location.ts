/** Reads `state.location` of a manifest, for commands that only need the store. */
import { type DocumentNode, nodeAt } from "../../core/document.ts";
import { normalizePath } from "../../core/project-path.ts";
import { type LoadRequest, loadProject } from "./load-project.ts";
import { fileLimit } from "./project-reader.ts";

/** Relative to the project. Undefined if it is not set. The rest of the manifest may be invalid. */
export function stateLocationIn(manifest: DocumentNode | undefined): string | undefined {
  const node = manifest === undefined ? undefined : nodeAt(manifest, ["state", "location"]);
  return node?.kind === "scalar" && typeof node.value === "string" ? normalizePath(node.value) : undefined;
}

/**
 * Reads the location from manifest files. Skips parsing, which is slow for large manifests, if no file contains the word `state` or a backslash, which may
 * escape it.
 */
export async function findStateLocation(request: LoadRequest): Promise<string | undefined> {
  const { files, environment } = request;
  const mayContain = environment !== undefined || (await Promise.all(files.map((file) => mentions(request, file)))).includes(true);
  return mayContain ? stateLocationIn((await loadProject(request)).manifest) : undefined;
}

async function mentions({ source }: LoadRequest, file: string): Promise<boolean> {
  const read = await source.read(normalizePath(file), fileLimit, "anywhere");
  if (read.kind !== "bytes") return true;
  const bytes = Buffer.from(read.bytes.buffer, read.bytes.byteOffset, read.bytes.length);
  return bytes.includes("state") || bytes.includes("\\");
}
