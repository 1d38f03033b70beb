/** Writes to an attempt's directories from outside, with the limits of a child: for adapters that start no program. */
import { rmdirSync } from "node:fs";
import path from "node:path";
import { parentsOf } from "../changeset/combine-changes.ts";
import { lstatAt, shown } from "../changeset/disk.ts";
import { removeTree } from "../changeset/remove-tree.ts";
import { type EntryTarget, makeDirectory, writeEntry } from "../changeset/write-entry.ts";
import type { TreeEntry } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { describeIoError } from "../platform/files.ts";
import { isInside } from "../platform/paths.ts";
import { fsPath, isPathSafe } from "../text/path-bytes.ts";
import { type Area, isHidden } from "./area-files.ts";
import { firstNonDirectoryParent } from "./path-safety.ts";

type Entries = ReadonlyMap<string, TreeEntry | undefined>;

/**
 * Writes entries into a directory: removes what is in the way, then creates the entries. Fails with `artifact-refused`,
 * before any change, for a path that no attempt may write, and with `workspace-failed`.
 */
export async function writeIntoArea(area: Area, entries: Entries): Promise<Result<void>> {
  const { directory, hidden } = area;
  const isState = (file: string) => isHidden(area, file) || (hidden !== undefined && isInside(path.join(directory, file), hidden));
  const refused = refusedPath(entries, isState);
  if (refused !== undefined) return refused;
  for (const [file, entry] of entries) {
    const gone = await clearPath(directory, file, entry);
    if (!gone.ok) return gone;
  }
  return writeEntries({ directory, model: directory }, entries);
}

/** `artifact-refused` for the first path that no attempt may write; undefined if there is none. */
export function refusedPath(entries: Entries, isState: (file: string) => boolean): Result<never> | undefined {
  for (const file of entries.keys()) {
    const why = !isPathSafe(file)
      ? "it is not a path in the workspace, or it is in `.git`"
      : isState(file)
        ? "it is in Wave's state directory"
        : undefined;
    if (why !== undefined) return err({ reason: "artifact-refused", artifact: shown(file), path: shown(file), detail: why });
  }
  return undefined;
}

/** Creates entries at free paths. Fails with `workspace-failed`. */
export function writeEntries(target: EntryTarget, entries: Entries): Result<void> {
  for (const [file, entry] of entries) {
    try {
      if (entry?.mode === "040000") makeDirectory(target, file);
      else if (entry !== undefined) writeEntry(target, file, entry, entry.bytes);
    } catch (error) {
      return writeFailed(file, error);
    }
  }
  return ok(undefined);
}

/** Removes what is in the way of an entry. Targets of symlinks are outside the area and are not touched. */
async function clearPath(directory: string, file: string, entry: TreeEntry | undefined): Promise<Result<void>> {
  try {
    const there = lstatAt(directory, file);
    if (there === undefined || firstNonDirectoryParent(directory, file) !== undefined) return ok(undefined);
    if (entry !== undefined && (entry.mode === "040000") === there.isDirectory()) return ok(undefined);
    const gone = await removeTree(fsPath(directory, file));
    if (gone.ok && entry === undefined) removeEmptied(directory, file);
    return gone;
  } catch (error) {
    return writeFailed(file, error);
  }
}

/** Removes the empty directories above a path. */
function removeEmptied(directory: string, file: string): void {
  try {
    for (const parent of parentsOf(file)) rmdirSync(fsPath(directory, parent));
  } catch (error) {
    describeIoError(error);
  }
}

function writeFailed(file: string, error: unknown): Result<never> {
  const { code, detail } = describeIoError(error);
  return workspaceFailed(code, `\`${shown(file)}\` cannot be written: ${detail}`);
}
