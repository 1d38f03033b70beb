/** What leads from a project as it is to one in which some places are as somebody says. It changes nothing. */
import type { Changeset, FileState } from "../core/changeset.ts";
import type { ArtifactStore, Leaf } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { entriesBelow } from "../platform/walk.ts";
import { isPathSafe } from "../text/path-bytes.ts";
import { entryOf, parentsOf, sortEntries } from "./combine-changes.ts";
import { kindOf, lookAt, namesIn, shown } from "./disk.ts";
import { leafContent } from "./read-entry.ts";

/** `leaves`: what is to lie at each path, `undefined` for nothing. Their bytes are put into `blobs`. */
export interface WayRequest {
  readonly root: string;
  readonly leaves: ReadonlyMap<string, Leaf | undefined>;
  readonly blobs: ArtifactStore;
}

/**
 * The changeset. A place that could only be had by taking away something of which nothing is said stays as it is: a file where there is a directory with
 * other files by now, or below what has become a file. Fails with `changeset-refused` for a path that no changeset may name, as the store does, and with
 * `workspace-failed`.
 */
export async function wayTo({ root, leaves, blobs }: WayRequest): Promise<Result<Changeset>> {
  const gone = new Set([...leaves].flatMap(([path, leaf]) => (leaf === undefined ? [path] : [])));
  const entries = [];
  for (const [path, leaf] of leaves) {
    if (!isPathSafe(path)) return err({ reason: "changeset-refused", path: shown(path), detail: "no changeset may name such a path" });
    try {
      if (leaf !== undefined && !hasRoom(root, path, gone)) continue;
      const now = await stateAt(root, path);
      if (!now.ok) return now;
      const wanted = await stateOf(leaf, blobs);
      if (!wanted.ok) return wanted;
      const entry = entryOf(path, now.value, wanted.value);
      if (entry !== undefined) entries.push(entry);
    } catch (error) {
      return err({ reason: "workspace-failed", code: describeIoError(error).code, detail: `\`${shown(path)}\` cannot be looked at` });
    }
  }
  return ok(sortEntries(entries));
}

/** The leaf at a path; nothing where there is none, as for a directory that holds something, and below what is no directory. */
async function stateAt(root: string, path: string): Promise<Result<FileState | undefined>> {
  const stats = parentsOf(path).some((parent) => isLeaf(root, parent)) ? undefined : lookAt(root, path);
  const kind = stats === undefined ? "other" : kindOf(stats);
  if (stats === undefined || kind === "other") return ok(undefined);
  if (kind === "directory") return ok(namesIn(root, path).length === 0 ? { mode: "040000" } : undefined);
  const content = await leafContent(root, path, stats);
  return content.ok ? ok(content.value.state) : content;
}

async function stateOf(leaf: Leaf | undefined, blobs: ArtifactStore): Promise<Result<FileState | undefined>> {
  if (leaf === undefined || leaf.mode === "040000") return ok(leaf);
  const stored = await blobs.put(leaf.bytes);
  return stored.ok ? ok({ mode: leaf.mode, ...stored.value }) : stored;
}

/** Whether something can lie at a path once what is to go is gone. */
function hasRoom(root: string, path: string, gone: ReadonlySet<string>): boolean {
  const leaf = parentsOf(path).findLast((parent) => isLeaf(root, parent));
  return leaf === undefined ? isHollow(root, path, gone) : gone.has(leaf);
}

/** Whether something lies at a path that is no directory. */
function isLeaf(root: string, path: string): boolean {
  return lookAt(root, path)?.isDirectory() === false;
}

/** Whether a path is no directory, or one that holds nothing but what is to go. */
function isHollow(root: string, path: string, gone: ReadonlySet<string>): boolean {
  if (lookAt(root, path)?.isDirectory() !== true) return true;
  for (const entry of entriesBelow(root, { from: path })) if (entry.kind !== "directory" && !gone.has(entry.path)) return false;
  return true;
}
