/** Reads prompts, schemas, and transitively the files that schemas refer to. */
import type { NamedFile } from "../../core/loaded.ts";
import { normalizePath } from "../../core/project-path.ts";
import type { ProjectReader } from "./project-reader.ts";
import { schemaReferences } from "./references.ts";

/** Paths as written in documents. */
export interface NamedPaths {
  readonly prompts: readonly string[];
  readonly schemas: readonly string[];
}

/** Files read at the same time. Bounded to limit open file descriptors. */
const readsAtOnce = 32;

/** Adds every file to `files` by its normalized path, including missing and refused ones. */
export async function readNamedFiles(paths: NamedPaths, reader: ProjectReader, files: Map<string, NamedFile>): Promise<void> {
  const read = async (names: readonly string[]) => {
    const found = await inBatches([...new Set(names.map(normalizePath))], reader.file);
    for (const file of found) if (!files.has(file.path)) files.set(file.path, file);
    return found;
  };
  await read(paths.prompts);
  const followed = new Set<string>();
  let open = paths.schemas.map(normalizePath);
  while (open.length > 0) {
    const schemas = await read(open);
    for (const { path } of schemas) followed.add(path);
    const next = schemas.flatMap((file) => (file.kind === "text" ? schemaReferences(file.path, file.text) : []));
    open = next.filter((path) => !followed.has(path));
  }
}

/** Reads items in order, a bounded number at a time. */
export async function inBatches<T, U>(items: readonly T[], read: (item: T) => Promise<U>): Promise<U[]> {
  const done: U[] = [];
  for (let at = 0; at < items.length; at += readsAtOnce) done.push(...(await Promise.all(items.slice(at, at + readsAtOnce).map(read))));
  return done;
}
