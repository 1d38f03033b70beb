/**
 * Applies a changeset to a project, completely or not at all. A rollback applies the reverse. An interrupted run is
 * completed by applying again. The caller holds the project's lock: others may read meanwhile, but not write.
 */
import { rmdirSync } from "node:fs";
import type { Changeset, ChangesetEntry } from "../core/changeset.ts";
import type { BlobStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { breather } from "../platform/breather.ts";
import { describeIoError } from "../platform/files.ts";
import { fsPath, isPathSafe } from "../text/path-bytes.ts";
import { parentsOf } from "./combine-changes.ts";
import { type Comparison, compareProject, type ForeignChange, type Found, fileFacts, isAfter, isBefore } from "./compare-project.ts";
import { shown } from "./disk.ts";
import { inParallel } from "./in-parallel.ts";
import { makeDirectory, removeIfThere, temporaryFor, writeEntry } from "./write-entry.ts";

/** Numbers of paths. `already`: those that had the new state before. */
export type ApplyOutcome =
  | { readonly kind: "applied"; readonly written: number; readonly deleted: number; readonly already: number }
  /** These paths are neither in the state before the changes nor in the one after, so nothing was written. */
  | { readonly kind: "refused"; readonly paths: readonly ForeignChange[] };

/**
 * The changes and their target. `root` is absolute. Below it, anything in the way of a path that is not a directory is
 * foreign, symlinks included.
 */
export interface ApplyRequest {
  readonly root: string;
  readonly changes: Changeset;
  readonly blobs: BlobStore;
  /** Called before the first write, if there is one. If it fails, nothing is written. */
  readonly beforeWrite?: () => Promise<Result<unknown>>;
}

const yieldEvery = 200;
/** Blobs checked concurrently. */
const width = 16;

/**
 * Applies the changes. Compares everything before the first write. Fails like the store if bytes are missing (before any
 * write), with `file-unreadable` if a path cannot be inspected, and with `workspace-failed` if it cannot be written.
 */
export async function applyChangeset(request: ApplyRequest): Promise<Result<ApplyOutcome>> {
  const { root, changes, blobs } = request;
  const unsafe = changes.find(({ path }) => !isPathSafe(path));
  if (unsafe !== undefined)
    return err({ reason: "changeset-refused", path: shown(unsafe.path), detail: "changesets may not contain this path" });
  const compared = await compareProject(root, changes);
  if (!compared.ok) return compared;
  const { found, foreign } = compared.value;
  if (foreign.length > 0) return ok({ kind: "refused", paths: foreign });
  const open = changes.filter((entry) => !isAfter(entry, found.get(entry.path) ?? nothing));
  const wanted = new Set(open.flatMap(({ after }) => (after !== undefined && "digest" in after ? [after.digest] : [])));
  const there = await inParallel([...wanted], width, blobs.pathOf, (one) => !one.ok);
  for (const one of there) if (one?.ok === false) return one;
  const noted = open.length === 0 ? undefined : await request.beforeWrite?.();
  if (noted?.ok === false) return noted;
  const done = await writeChanges(request, compared.value, open);
  if (!done.ok) return done;
  const deleted = open.filter(({ after }) => after === undefined).length;
  return ok({ kind: "applied", written: open.length - deleted, deleted, already: changes.length - open.length });
}

/** Whether every path of a changeset is in the state before it. False if a path cannot be inspected. */
export async function matchesBefore({ root, changes }: { readonly root: string; readonly changes: Changeset }): Promise<boolean> {
  const compared = await compareProject(root, changes);
  if (!compared.ok) return false;
  const { found, foreign } = compared.value;
  return foreign.length === 0 && changes.every((entry) => isBefore(entry, found.get(entry.path) ?? nothing));
}

const nothing: Found = { kind: "nothing" };

async function writeChanges(
  { root, changes, blobs }: ApplyRequest,
  { found, facts }: Comparison,
  open: readonly ChangesetEntry[],
): Promise<Result<void>> {
  let at = "";
  const unchanged = (path: string) => {
    if (fileFacts(root, path) !== facts.get(path)) throw new ProjectEdit();
  };
  try {
    for (const { path } of changes) {
      at = path;
      // Whatever is in the way may be a symlink to anywhere.
      if (found.get(path)?.kind !== "blocked") removeIfThere(fsPath(root, temporaryFor(path)));
    }
    for (const entry of [...open].reverse()) {
      at = entry.path;
      removeObstacle(root, entry, found.get(entry.path) ?? nothing, () => unchanged(entry.path));
    }
    removeEmptied(root, changes);
    const breathe = breather(yieldEvery);
    for (const { path, after } of open) {
      at = path;
      if (after?.mode === "040000") makeDirectory({ directory: root, model: root }, path);
      if (after === undefined || !("digest" in after)) continue;
      const bytes = await blobs.get(after.digest);
      if (!bytes.ok) return bytes;
      writeEntry({ directory: root, model: root }, path, after, bytes.value, () => unchanged(path));
      await breathe();
    }
    return ok(undefined);
  } catch (error) {
    const { code, detail } = error instanceof ProjectEdit ? error : describeIoError(error);
    return workspaceFailed(code, `\`${shown(at)}\` cannot be changed: ${detail}; try again to complete the changes`);
  }
}

/** Something else changed a path after the comparison and before the write. */
class ProjectEdit extends Error {
  readonly code = "EBUSY";
  readonly detail = "something else changed it meanwhile";
}

/** Removes what cannot simply be replaced at a path. Entries come deepest first. `ready` throws if it must stay. */
function removeObstacle(root: string, { path, after }: ChangesetEntry, found: Found, ready: () => void): void {
  if (found.kind !== "entry" || (after !== undefined && "digest" in after)) return;
  const place = fsPath(root, path);
  if ("digest" in found.state) {
    ready();
    removeIfThere(place);
  } else if (after === undefined) removeEmpty(place);
}

/** Removes the directories that deletions left empty, except those that stay or are filled again. */
function removeEmptied(root: string, changes: Changeset): void {
  const staying = new Set<string>();
  for (const { path, after } of changes) {
    if (after === undefined) continue;
    if (after.mode === "040000") staying.add(path);
    for (const parent of parentsOf(path)) staying.add(parent);
  }
  const emptied = new Set<string>();
  for (const { path, after } of changes) {
    if (after === undefined) for (const parent of parentsOf(path)) if (!staying.has(parent)) emptied.add(parent);
  }
  // Children have longer paths than their parents.
  for (const parent of [...emptied].sort((a, b) => b.length - a.length)) removeEmpty(fsPath(root, parent));
}

/** Removes an empty directory. Leaves files and symlinks alone, and never follows one. */
function removeEmpty(place: string | Buffer): void {
  try {
    rmdirSync(place);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
