/** Where a manifest says that state lies: what commands that ask for past runs need of it, and nothing else. */
import { type DocumentNode, nodeAt } from "../../core/document.ts";
import { normalizePath } from "../../core/project-path.ts";
import { type LoadRequest, loadProject } from "./load-project.ts";
import { fileLimit } from "./project-reader.ts";

/** Relative to the project; nothing where the manifest does not say. It need not hold otherwise. */
export function stateLocationIn(manifest: DocumentNode | undefined): string | undefined {
  const node = manifest === undefined ? undefined : nodeAt(manifest, ["state", "location"]);
  return node?.kind === "scalar" && typeof node.value === "string" ? normalizePath(node.value) : undefined;
}

/**
 * Reads a manifest for it alone. Most do not say, and show that without being parsed, which is most of what looking at a large one costs: whatever YAML
 * makes a key of it, the word stands in the text, or an escape does.
 */
export async function findStateLocation(request: LoadRequest): Promise<string | undefined> {
  const { files, environment } = request;
  const mayTell = environment !== undefined || (await Promise.all(files.map((file) => tells(request, file)))).includes(true);
  return mayTell ? stateLocationIn((await loadProject(request)).manifest) : undefined;
}

async function tells({ source }: LoadRequest, file: string): Promise<boolean> {
  const read = await source.read(normalizePath(file), fileLimit, "anywhere");
  if (read.kind !== "bytes") return true;
  const bytes = Buffer.from(read.bytes.buffer, read.bytes.byteOffset, read.bytes.length);
  return bytes.includes("state") || bytes.includes("\\");
}
