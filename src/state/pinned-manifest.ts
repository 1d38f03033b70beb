/** The project files that a run began with, kept as blobs: one blob a file, and one that lists them. */
import { type Digest, digestOfBytes, isDigest } from "../model/digest.ts";
import { isJsonObject, type JsonValue } from "../model/json.ts";
import type { ArtifactStore } from "../model/ports.ts";
import { err, ok, type Result } from "../model/result.ts";

/**
 * Stores files (path relative to the project → bytes) and gives the digest of the list. Equal files give an equal digest. Fails as the store
 * does. Nothing is scrubbed: files of the project are what everybody with the project has.
 */
export async function pinFiles(blobs: ArtifactStore, files: ReadonlyMap<string, Uint8Array>): Promise<Result<Digest>> {
  const digests: Record<string, Digest> = Object.create(null);
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [path, bytes] of sorted) digests[path] = digestOfBytes(bytes);
  const list = Buffer.from(`${JSON.stringify({ v: 1, files: digests })}\n`);
  const stored = await Promise.all([list, ...sorted.map(([, bytes]) => bytes)].map((bytes) => blobs.put(bytes)));
  return stored.find((result) => !result.ok) ?? ok(digestOfBytes(list));
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
