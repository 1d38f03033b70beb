/** The project files that a run started with, stored as blobs: one blob per file, and one that lists them. */
import { type Digest, digestOfBytes, isDigest } from "../core/digest.ts";
import { isJsonObject, type JsonValue } from "../core/json.ts";
import type { BlobStore, FileSource } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";

/** The list of files (path relative to the project → bytes) with its digest. Equal files have equal digests. */
export function pinnedList(files: ReadonlyMap<string, Uint8Array>): {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly files: ReadonlyMap<string, Digest>;
} {
  const digests: Record<string, Digest> = Object.create(null);
  for (const [path, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) digests[path] = digestOfBytes(content);
  const bytes = Buffer.from(`${JSON.stringify({ v: 1, files: digests })}\n`);
  return { digest: digestOfBytes(bytes), bytes, files: new Map(Object.entries(digests)) };
}

/**
 * Stores files and returns the digest of their list. Fails as the store does. Nothing is redacted: everyone with the
 * project has its files.
 */
export async function pinFiles(blobs: BlobStore, files: ReadonlyMap<string, Uint8Array>): Promise<Result<Digest>> {
  const { digest, bytes } = pinnedList(files);
  const stored = await Promise.all([bytes, ...files.values()].map((content) => blobs.put(content)));
  return stored.find((result) => !result.ok) ?? ok(digest);
}

/**
 * Reads a list: path → digest of the file's bytes. Fails with `state-damaged` if the blob is not a list, and as the
 * store does.
 */
export async function readPinned(blobs: BlobStore, digest: Digest): Promise<Result<ReadonlyMap<string, Digest>>> {
  const bytes = await blobs.get(digest);
  if (!bytes.ok) return bytes;
  const files = filesOf(Buffer.from(bytes.value).toString());
  return files === undefined ? err({ reason: "state-damaged", path: digest, detail: "the blob is not a list of pinned files" }) : ok(files);
}

/** Larger files count as unchanged. */
const maxComparedBytes = 32_000_000;

/** The pinned files, sorted, that are missing in `source` or have different bytes there. */
export async function changedPinnedFiles(pinned: ReadonlyMap<string, Digest>, source: FileSource): Promise<readonly string[]> {
  const changed: string[] = [];
  for (const [file, digest] of pinned) {
    const read = await source.read(file, maxComparedBytes, "anywhere");
    if (read.kind === "missing" || (read.kind === "bytes" && digestOfBytes(read.bytes) !== digest)) changed.push(file);
  }
  return changed.sort();
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
