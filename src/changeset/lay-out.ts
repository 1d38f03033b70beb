/** Writes the result of a changeset into an empty directory, as a layer over the project. */
import type { Changeset } from "../core/changeset.ts";
import type { BlobStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { describeIoError } from "../platform/files.ts";
import { isPathSafe } from "../text/path-bytes.ts";
import { parentsOf } from "./combine-changes.ts";
import { lstatAt, shown } from "./disk.ts";
import { openStartTree } from "./start-tree.ts";
import { makeDirectory, writeEntry } from "./write-entry.ts";

/** `root` is the project below the layer; modes and owners follow it. */
export interface LayOutRequest {
  readonly directory: string;
  readonly root: string;
  readonly changes: Changeset;
  readonly blobs: BlobStore;
}

/**
 * Writes every file, symlink and empty directory that exists after the changeset. `removed`: the topmost paths of the
 * project that the layer must hide because nothing remains there, sorted. Fails like the store, and with
 * `workspace-failed`.
 */
export async function layOut({ directory, root, changes, blobs }: LayOutRequest): Promise<Result<{ readonly removed: readonly string[] }>> {
  const target = { directory, model: root };
  for (const { path, after } of changes) {
    if (!isPathSafe(path)) return err({ reason: "changeset-refused", path: shown(path), detail: "changesets may not contain this path" });
    if (after === undefined) continue;
    const bytes = "digest" in after ? await blobs.get(after.digest) : undefined;
    if (bytes?.ok === false) return bytes;
    try {
      if ("digest" in after && bytes !== undefined) writeEntry(target, path, after, bytes.value);
      else makeDirectory(target, path);
    } catch (error) {
      return layOutFailed(path, error);
    }
  }
  try {
    return ok({ removed: removedPaths(root, changes) });
  } catch (error) {
    return layOutFailed("", error);
  }
}

function removedPaths(root: string, changes: Changeset): readonly string[] {
  const tree = openStartTree(root, changes);
  const entries = new Set(changes.filter(({ after }) => after !== undefined && "digest" in after).map(({ path }) => path));
  const removed = new Set<string>();
  for (const { path, after } of changes) {
    if (after !== undefined || tree.at(path).kind !== "absent") continue;
    const parents = parentsOf(path);
    if (parents.some((parent) => entries.has(parent))) continue;
    const topmost = parents.filter((parent) => tree.at(parent).kind === "absent").at(-1) ?? path;
    if (lstatAt(root, topmost) !== undefined) removed.add(topmost);
  }
  return [...removed].sort();
}

function layOutFailed(path: string, error: unknown): Result<never> {
  const { code, detail } = describeIoError(error);
  return workspaceFailed(code, `\`${shown(path)}\` cannot be written: ${detail}`);
}
