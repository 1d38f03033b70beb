/**
 * Brings a changeset into a project, or nothing of it. Undoing is applying the reverse. What was interrupted at any instant is
 * completed by doing it again. The caller holds the project's lock: others may read meanwhile, but not write.
 */
import { rmdirSync } from "node:fs";
import type { Changeset, ChangesetEntry } from "../core/changeset.ts";
import type { BlobStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { breather } from "../platform/breather.ts";
import { describeIoError } from "../platform/files.ts";
import { fsPath, isPathSafe } from "../text/path-bytes.ts";
import { parentsOf } from "./combine-changes.ts";
import { type Comparison, compareProject, type ForeignChange, type Found, fileFacts, isAfter, isBefore } from "./compare-project.ts";
import { shown } from "./disk.ts";
import { inParallel } from "./in-parallel.ts";
import { makeDirectory, removeIfThere, temporaryFor, writeEntry } from "./write-entry.ts";

/** Numbers of paths; `already`: those that were as they were to become. */
export type ApplyOutcome =
  | { readonly kind: "applied"; readonly written: number; readonly deleted: number; readonly already: number }
  /** These paths are neither as before the changes nor as after them, so nothing was done. */
  | { readonly kind: "refused"; readonly paths: readonly ForeignChange[] };

/** Where to apply what. `root` is absolute; everything below it that is in the way of a path and no directory is foreign, symlinks too. */
export interface ApplyRequest {
  readonly root: string;
  readonly changes: Changeset;
  readonly blobs: BlobStore;
  /** Called before the first write, if there is one. Nothing is written if it fails. */
  readonly beforeWrite?: () => Promise<Result<unknown>>;
}

const yieldEvery = 200;
/** Blobs looked at beside each other. */
const width = 16;

/**
 * Applies. Everything is compared before the first byte is written. Fails as the store does where bytes are missing (nothing is
 * written then), with `file-unreadable` where a path cannot be looked at, and with `workspace-failed` where it cannot be written.
 */
export async function applyChangeset(request: ApplyRequest): Promise<Result<ApplyOutcome>> {
  const { root, changes, blobs } = request;
  const unsafe = changes.find(({ path }) => !isPathSafe(path));
  if (unsafe !== undefined)
    return err({ reason: "changeset-refused", path: shown(unsafe.path), detail: "no changeset may name such a path" });
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
  const done = await carryOut(request, compared.value, open);
  if (!done.ok) return done;
  const deleted = open.filter(({ after }) => after === undefined).length;
  return ok({ kind: "applied", written: open.length - deleted, deleted, already: changes.length - open.length });
}

/** Whether every path of a changeset is as it was before it. A path that cannot be looked at is not. */
export async function holds({ root, changes }: { readonly root: string; readonly changes: Changeset }): Promise<boolean> {
  const compared = await compareProject(root, changes);
  if (!compared.ok) return false;
  const { found, foreign } = compared.value;
  return foreign.length === 0 && changes.every((entry) => isBefore(entry, found.get(entry.path) ?? nothing));
}

const nothing: Found = { kind: "nothing" };

async function carryOut(
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
      // Beyond what is in the way there may be a symlink, and behind that anything.
      if (found.get(path)?.kind !== "blocked") removeIfThere(fsPath(root, temporaryFor(path)));
    }
    for (const entry of [...open].reverse()) {
      at = entry.path;
      makeWay(root, entry, found.get(entry.path) ?? nothing, () => unchanged(entry.path));
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
    return err({
      reason: "workspace-failed",
      code,
      detail: `\`${shown(at)}\` cannot be changed: ${detail}; the rest can be completed by trying again`,
    });
  }
}

/** Something else changed a path between the comparison and the moment at which it was to be written. */
class ProjectEdit extends Error {
  readonly code = "EBUSY";
  readonly detail = "something else changed it just now";
}

/** Removes what is at a path and is not simply replaced. Entries come deepest first. `ready` throws if it must stay. */
function makeWay(root: string, { path, after }: ChangesetEntry, found: Found, ready: () => void): void {
  if (found.kind !== "leaf" || (after !== undefined && "digest" in after)) return;
  const place = fsPath(root, path);
  if ("digest" in found.state) {
    ready();
    removeIfThere(place);
  } else if (after === undefined) removeEmpty(place);
}

/** Takes away the directories that deletions left empty, but for those that stay or are filled again. */
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
  // What is below something has the longer path.
  for (const parent of [...emptied].sort((a, b) => b.length - a.length)) removeEmpty(fsPath(root, parent));
}

/** Removes a directory if nothing is in it. Leaves symlinks and files alone, and what lies behind one. */
function removeEmpty(place: string | Buffer): void {
  try {
    rmdirSync(place);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
