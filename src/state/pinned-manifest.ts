/** The project files that a run began with, kept as blobs: one blob a file, and one that lists them. */
import { type Digest, isDigest } from "../model/digest.ts";
import { isJsonObject, type JsonValue } from "../model/json.ts";
import type { ArtifactStore } from "../model/ports.ts";
import { err, ok, type Result } from "../model/result.ts";

/**
 * Stores files (path relative to the project → bytes) and gives the digest of the list. Equal files give an equal digest. Fails as the store
 * does. Nothing is scrubbed: files of the project are what everybody with the project has.
 */
export async function pinFiles(blobs: ArtifactStore, files: ReadonlyMap<string, Uint8Array>): Promise<Result<Digest>> {
  const stored = await Promise.all([...files].map(async ([path, bytes]) => ({ path, result: await blobs.put(bytes) })));
  const digests: Record<string, Digest> = Object.create(null);
  for (const { path, result } of stored.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    if (!result.ok) return result;
    digests[path] = result.value.digest;
  }
  const list = await blobs.put(Buffer.from(`${JSON.stringify({ v: 1, files: digests })}\n`));
  return list.ok ? ok(list.value.digest) : list;
}

/** The list back: path → digest of the file's bytes. Fails with `state-damaged` where it is no such list, and as the store does. */
export async function readPinned(blobs: ArtifactStore, digest: Digest): Promise<Result<ReadonlyMap<string, Digest>>> {
  const bytes = await blobs.get(digest);
  if (!bytes.ok) return bytes;
  const files = filesOf(Buffer.from(bytes.value).toString());
  return files === undefined ? err({ reason: "state-damaged", path: digest, detail: "the blob is not a list of pinned files" }) : ok(files);
}

function filesOf(text: string): ReadonlyMap<string, Digest> | undefined {
  const files = new Map<string, Digest>();
  const list = parse(text);
  if (!isJsonObject(list) || list["v"] !== 1 || !isJsonObject(list["files"])) return undefined;
  for (const [path, digest] of Object.entries(list["files"])) {
    if (typeof digest !== "string" || !isDigest(digest)) return undefined;
    files.set(path, digest);
  }
  return files;
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
