/** Lays what a changeset leaves behind into an empty directory, as a layer over the project. */
import type { Changeset } from "../core/changeset.ts";
import type { BlobStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { isPathSafe } from "../text/path-bytes.ts";
import { parentsOf } from "./combine-changes.ts";
import { lstatAt, shown } from "./disk.ts";
import { openStartTree } from "./start-tree.ts";
import { makeDirectory, writeEntry } from "./write-entry.ts";

/** `root` is the project that the layer comes to lie on: modes and owners follow it. */
export interface LayOutRequest {
  readonly directory: string;
  readonly root: string;
  readonly changes: Changeset;
  readonly blobs: BlobStore;
}

/**
 * Writes every file, symlink and empty directory that the changeset leaves. `removed` is what the layer must hide of the project: paths at
 * which nothing is left, only the uppermost of each tree, sorted. Fails as the store does, and with `workspace-failed`.
 */
export async function layOut({ directory, root, changes, blobs }: LayOutRequest): Promise<Result<{ readonly removed: readonly string[] }>> {
  const target = { directory, model: root };
  for (const { path, after } of changes) {
    if (!isPathSafe(path)) return err({ reason: "changeset-refused", path: shown(path), detail: "no changeset may name such a path" });
    if (after === undefined) continue;
    const bytes = "digest" in after ? await blobs.get(after.digest) : undefined;
    if (bytes?.ok === false) return bytes;
    try {
      if ("digest" in after && bytes !== undefined) writeEntry(target, path, after, bytes.value);
      else makeDirectory(target, path);
    } catch (error) {
      return failed(path, error);
    }
  }
  try {
    return ok({ removed: removedPaths(root, changes) });
  } catch (error) {
    return failed("", error);
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

function failed(path: string, error: unknown): Result<never> {
  const { code, detail } = describeIoError(error);
  return err({ reason: "workspace-failed", code, detail: `\`${shown(path)}\` cannot be laid out: ${detail}` });
}
