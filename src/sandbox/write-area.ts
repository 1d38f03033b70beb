/** Writes into the places of an attempt from outside, as a child of it could: for adapters that start no program. */

import { rmdirSync } from "node:fs";
import path from "node:path";
import { parentsOf } from "../changeset/combine-changes.ts";
import { lookAt, shown } from "../changeset/disk.ts";
import { removeTree } from "../changeset/remove-tree.ts";
import { type LeafTarget, makeDirectory, writeLeaf } from "../changeset/write-entry.ts";
import type { TreeEntry } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { isInside } from "../platform/paths.ts";
import { fsPath, isPathSafe } from "../text/path-bytes.ts";
import { type Area, isHidden } from "./area-files.ts";
import { firstNonDirectoryParent } from "./path-safety.ts";

type Leaves = ReadonlyMap<string, TreeEntry | undefined>;

/**
 * Makes paths of a directory be as given: first goes what is in the way, then come the leaves. Fails with `artifact-refused` for a path that no
 * attempt may write, before anything is done, and with `workspace-failed`.
 */
export async function writeIntoArea(area: Area, entries: Leaves): Promise<Result<void>> {
  const { directory, hidden } = area;
  const isState = (file: string) => isHidden(area, file) || (hidden !== undefined && isInside(path.join(directory, file), hidden));
  const refused = refusedPath(entries, isState);
  if (refused !== undefined) return refused;
  for (const [file, entry] of entries) {
    const gone = await giveWay(directory, file, entry);
    if (!gone.ok) return gone;
  }
  return putLeaves({ directory, model: directory }, entries);
}

/** `artifact-refused` for the first path that no attempt may write; nothing where all may be. */
export function refusedPath(entries: Leaves, isState: (file: string) => boolean): Result<never> | undefined {
  for (const file of entries.keys()) {
    const why = !isPathSafe(file)
      ? "it is not a path in the workspace, or leads into `.git`"
      : isState(file)
        ? "it lies in wave's state"
        : undefined;
    if (why !== undefined) return err({ reason: "artifact-refused", artifact: shown(file), path: shown(file), detail: why });
  }
  return undefined;
}

/** Puts leaves where nothing is in the way. Fails with `workspace-failed`. */
export function putLeaves(target: LeafTarget, entries: Leaves): Result<void> {
  for (const [file, entry] of entries) {
    try {
      if (entry?.mode === "040000") makeDirectory(target, file);
      else if (entry !== undefined) writeLeaf(target, file, entry, entry.bytes);
    } catch (error) {
      return failed(file, error);
    }
  }
  return ok(undefined);
}

/** Takes away what is at a path and cannot stay. What lies behind a symlink is not in the area, and is not touched. */
async function giveWay(directory: string, file: string, entry: TreeEntry | undefined): Promise<Result<void>> {
  try {
    const there = lookAt(directory, file);
    if (there === undefined || firstNonDirectoryParent(directory, file) !== undefined) return ok(undefined);
    if (entry !== undefined && (entry.mode === "040000") === there.isDirectory()) return ok(undefined);
    const gone = await removeTree(fsPath(directory, file));
    if (gone.ok && entry === undefined) removeEmptied(directory, file);
    return gone;
  } catch (error) {
    return failed(file, error);
  }
}

/** Takes away the directories above a path that have nothing left in them. */
function removeEmptied(directory: string, file: string): void {
  try {
    for (const parent of parentsOf(file)) rmdirSync(fsPath(directory, parent));
  } catch (error) {
    describeIoError(error);
  }
}

function failed(file: string, error: unknown): Result<never> {
  const { code, detail } = describeIoError(error);
  return err({ reason: "workspace-failed", code, detail: `\`${shown(file)}\` cannot be written: ${detail}` });
}
