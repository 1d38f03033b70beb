/** Moves the log of an attempt into the blob store. */
import { readFile, rm } from "node:fs/promises";
import type { Digest } from "../core/digest.ts";
import { ok, type Result } from "../core/result.ts";
import type { RunStore } from "./open-project.ts";

/** Stores the file at `path` and removes it. Undefined if the file is missing or empty. */
export async function storeLog(store: RunStore, path: string): Promise<Result<Digest | undefined>> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch {
    return ok(undefined);
  }
  if (bytes.length === 0) return ok(undefined);
  const stored = await store.blobs.put(bytes);
  if (!stored.ok) return stored;
  await rm(path, { force: true });
  return ok(stored.value.digest);
}
