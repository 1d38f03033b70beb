/** Computes the changeset from a project to given entries. Changes nothing. */
import type { Changeset, FileState } from "../core/changeset.ts";
import type { BlobStore, TreeEntry } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { describeIoError } from "../platform/files.ts";
import { entriesBelow, kindOf } from "../platform/walk.ts";
import { isPathSafe } from "../text/path-bytes.ts";
import { entryOf, parentsOf, sortEntries } from "./combine-changes.ts";
import { lstatAt, namesIn, shown } from "./disk.ts";
import { readEntry } from "./read-entry.ts";

/** `entries`: the wanted entry of each path, `undefined` for none. Their bytes are put into `blobs`. */
export interface ChangesetToRequest {
  readonly root: string;
  readonly entries: ReadonlyMap<string, TreeEntry | undefined>;
  readonly blobs: BlobStore;
}

/**
 * The changeset. An entry is skipped if it could only be placed by removing something that `entries` does not mention: at
 * a directory that now contains other files, or below a path that is now a file. Fails with `changeset-refused` for a path
 * that a changeset may not contain, like the store, and with `workspace-failed`.
 */
export async function changesetTo({ root, entries: wantedEntries, blobs }: ChangesetToRequest): Promise<Result<Changeset>> {
  const gone = new Set([...wantedEntries].flatMap(([path, entry]) => (entry === undefined ? [path] : [])));
  const changes = [];
  for (const [path, wantedEntry] of wantedEntries) {
    if (!isPathSafe(path)) return err({ reason: "changeset-refused", path: shown(path), detail: "changesets may not contain this path" });
    try {
      if (wantedEntry !== undefined && !canPlace(root, path, gone)) continue;
      const now = await stateAt(root, path);
      if (!now.ok) return now;
      const wanted = await stateOf(wantedEntry, blobs);
      if (!wanted.ok) return wanted;
      const entry = entryOf(path, now.value, wanted.value);
      if (entry !== undefined) changes.push(entry);
    } catch (error) {
      return workspaceFailed(describeIoError(error).code, `\`${shown(path)}\` cannot be inspected`);
    }
  }
  return ok(sortEntries(changes));
}

/** The state of a path; undefined if there is no entry, as for a directory with content or below a file. */
async function stateAt(root: string, path: string): Promise<Result<FileState | undefined>> {
  const stats = parentsOf(path).some((parent) => isEntry(root, parent)) ? undefined : lstatAt(root, path);
  const kind = stats === undefined ? "other" : kindOf(stats);
  if (stats === undefined || kind === "other") return ok(undefined);
  if (kind === "directory") return ok(namesIn(root, path).length === 0 ? { mode: "040000" } : undefined);
  const content = await readEntry(root, path, stats);
  return content.ok ? ok(content.value.state) : content;
}

async function stateOf(entry: TreeEntry | undefined, blobs: BlobStore): Promise<Result<FileState | undefined>> {
  if (entry === undefined || entry.mode === "040000") return ok(entry);
  const stored = await blobs.put(entry.bytes);
  return stored.ok ? ok({ mode: entry.mode, ...stored.value }) : stored;
}

/** Whether an entry can be placed at a path once the paths in `gone` are removed. */
function canPlace(root: string, path: string, gone: ReadonlySet<string>): boolean {
  const entry = parentsOf(path).findLast((parent) => isEntry(root, parent));
  return entry === undefined ? isEmptyTree(root, path, gone) : gone.has(entry);
}

/** Whether a path exists and is not a directory. */
function isEntry(root: string, path: string): boolean {
  return lstatAt(root, path)?.isDirectory() === false;
}

/** Whether a path is not a directory, or one that contains only paths in `gone`. */
function isEmptyTree(root: string, path: string, gone: ReadonlySet<string>): boolean {
  if (lstatAt(root, path)?.isDirectory() !== true) return true;
  for (const entry of entriesBelow(root, { from: path })) if (entry.kind !== "directory" && !gone.has(entry.path)) return false;
  return true;
}
