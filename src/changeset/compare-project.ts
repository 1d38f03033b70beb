/**
 * Compares a project with a changeset. A path is as expected if it has the state before or after the change, so that an
 * interrupted change can be completed. An empty directory and a missing path count as the same, because no bytes depend on
 * the difference.
 */
import type { Stats } from "node:fs";
import type { Changeset, ChangesetEntry, FileState } from "../core/changeset.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { entriesBelow, kindOf } from "../platform/walk.ts";
import { isGitName } from "../text/path-bytes.ts";
import { parentsOf, sameState } from "./combine-changes.ts";
import { lstatAt, namesIn, shown } from "./disk.ts";
import { readEntry } from "./read-entry.ts";
import { isTemporary } from "./write-entry.ts";

/** A path whose state is neither the one before the change nor the one after. Texts are for people. */
export interface ForeignChange {
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** The state found at a path. */
export type Found =
  | { readonly kind: "nothing" }
  | { readonly kind: "entry"; readonly state: FileState }
  /** A file whose size matches no expected state; its content was not read. */
  | { readonly kind: "another" }
  /** A directory with content. */
  | { readonly kind: "filled" }
  /** A pipe, a socket or a device. */
  | { readonly kind: "other" }
  /** A parent is not a directory: the path cannot be reached, or only through a symlink. */
  | { readonly kind: "blocked"; readonly by: string };

/** The states found, and the paths that do not match. */
export interface Comparison {
  readonly found: ReadonlyMap<string, Found>;
  /** Stat data of the file or symlink at each path, to detect later changes; undefined if there was none. */
  readonly facts: ReadonlyMap<string, string | undefined>;
  readonly foreign: readonly ForeignChange[];
}

/** Inspects every path of a changeset. Fails with `file-unreadable`. */
export async function compareProject(root: string, changes: Changeset): Promise<Result<Comparison>> {
  const entries = new Map(changes.map((entry) => [entry.path, entry]));
  const directories = new Set<string>();
  const found = new Map<string, Found>();
  const facts = new Map<string, string | undefined>();
  const foreign: ForeignChange[] = [];
  const named = new Set<string>();
  for (const entry of changes) {
    // Taken before the content is read, so that it differs if the file changes meanwhile.
    const seen = fileFacts(root, entry.path);
    const inspected = await inspect(root, entry, directories);
    if (!inspected.ok) return inspected;
    // Whatever is in the way may be a symlink to any file.
    facts.set(entry.path, inspected.value.kind === "blocked" ? undefined : seen);
    found.set(entry.path, inspected.value);
    const mismatch = findMismatch(root, entry, inspected.value, entries);
    // A file that replaced a directory is in the way of every path below it.
    if (mismatch === undefined || named.has(mismatch)) continue;
    named.add(mismatch);
    const { path, before } = entry;
    foreign.push({ path: mismatch, expected: mismatch === path ? inWords(before) : "nothing else", found: foundInWords(inspected.value) });
  }
  return ok({ found, facts, foreign });
}

/**
 * Stat data of a file or symlink; undefined if there is none or it cannot be inspected. Without the ctime, because
 * replacing one hard link changes it for the others.
 */
export function fileFacts(root: string, path: string): string | undefined {
  try {
    const stats = lstatAt(root, path);
    return stats === undefined || stats.isDirectory() ? undefined : `${stats.mtimeMs} ${stats.size} ${stats.ino} ${stats.mode}`;
  } catch {
    return undefined;
  }
}

/** Whether a path has the state before the change. An empty directory and a missing path are the same. */
export function isBefore({ before }: ChangesetEntry, found: Found): boolean {
  if (found.kind === "entry") return sameState(found.state, before) || (isNothing(found.state) && isNothing(before));
  return found.kind !== "other" && found.kind !== "another" && isNothing(before) && (found.kind !== "filled" || before === undefined);
}

/** Whether a path has exactly the state after the change. */
export function isAfter({ after }: ChangesetEntry, found: Found): boolean {
  if (found.kind === "entry") return sameState(found.state, after);
  return found.kind !== "other" && found.kind !== "another" && after === undefined;
}

async function inspect(root: string, { path, before, after }: ChangesetEntry, directories: Set<string>): Promise<Result<Found>> {
  try {
    const by = nonDirectoryParent(root, path, directories);
    if (by !== undefined) return ok({ kind: "blocked", by });
    const stats = lstatAt(root, path);
    if (stats === undefined) return ok({ kind: "nothing" });
    const kind = kindOf(stats);
    if (kind === "other") return ok({ kind });
    if (kind === "directory") {
      const isEmpty = namesIn(root, path).every(isTemporary);
      return ok(isEmpty ? { kind: "entry", state: { mode: "040000" } } : { kind: "filled" });
    }
    if (![before, after].some((state) => mayBe(state, stats))) return ok({ kind: "another" });
    const content = await readEntry(root, path, stats, Number.POSITIVE_INFINITY);
    if (content.ok) return ok({ kind: "entry", state: content.value.state });
    return err({
      reason: "file-unreadable",
      path: shown(path),
      code: "EACCES",
      detail: "it cannot be compared with the expected content",
    });
  } catch (error) {
    return err({ reason: "file-unreadable", path: shown(path), ...describeIoError(error) });
  }
}

/** The topmost existing parent of a path that is not a directory. */
function nonDirectoryParent(root: string, path: string, directories: Set<string>): string | undefined {
  for (const parent of parentsOf(path).reverse()) {
    if (directories.has(parent)) continue;
    const stats = lstatAt(root, parent);
    if (stats === undefined) return undefined;
    if (!stats.isDirectory()) return parent;
    directories.add(parent);
  }
  return undefined;
}

function mayBe(state: FileState | undefined, stats: Stats): boolean {
  if (state === undefined || !("digest" in state)) return false;
  return (state.mode === "120000") === stats.isSymbolicLink() && state.size === stats.size;
}

/** The path that does not match, if any. */
function findMismatch(root: string, entry: ChangesetEntry, found: Found, entries: ReadonlyMap<string, ChangesetEntry>): string | undefined {
  if (found.kind === "blocked" && !entries.has(found.by)) return found.by;
  if (found.kind === "filled" && entry.before === undefined && entry.after !== undefined && "digest" in entry.after) {
    return uncovered(root, entry.path, entries);
  }
  const isEmpty = found.kind === "nothing" || found.kind === "blocked" || (found.kind === "entry" && isNothing(found.state));
  return (isEmpty && isNothing(entry.after)) || isBefore(entry, found) || isAfter(entry, found) ? undefined : entry.path;
}

/** A path in a directory that a file replaces, and that the changeset does not delete. */
function uncovered(root: string, directory: string, entries: ReadonlyMap<string, ChangesetEntry>): string | undefined {
  for (const { kind, name, path } of entriesBelow(root, { from: directory })) {
    if (isTemporary(name)) continue;
    if (isGitName(name)) return path;
    if (kind === "directory") continue;
    const entry = entries.get(path);
    if (entry === undefined || entry.after !== undefined) return path;
  }
  return undefined;
}

function isNothing(state: FileState | undefined): boolean {
  return state === undefined || state.mode === "040000";
}

function inWords(state: FileState | undefined): string {
  if (state === undefined) return "nothing";
  if (!("digest" in state)) return "an empty directory";
  if (state.mode === "120000") return `a symlink (${state.digest.slice(0, 19)})`;
  return `${state.mode === "100755" ? "an executable file" : "a file"} of ${state.size} bytes (${state.digest.slice(0, 19)})`;
}

function foundInWords(found: Found): string {
  switch (found.kind) {
    case "nothing":
      return "nothing";
    case "entry":
      return inWords(found.state);
    case "another":
      return "something else";
    case "filled":
      return "a directory";
    case "other":
      return "a pipe, a socket or a device";
    case "blocked":
      return "a parent that is not a directory";
  }
}
