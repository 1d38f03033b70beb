/**
 * Compares what a changeset expects with what lies on disk. A path is as expected when it is as before the change or as after it, so
 * that a change that was interrupted can be completed. An empty directory and nothing count as the same: no bytes depend on it.
 */
import type { Stats } from "node:fs";
import type { Changeset, ChangesetEntry, FileState } from "../core/changeset.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { entriesBelow } from "../platform/walk.ts";
import { isGitName } from "../text/path-bytes.ts";
import { parentsOf, sameState } from "./combine-changes.ts";
import { kindOf, lstatAt, namesIn, shown } from "./disk.ts";
import { readEntry } from "./read-entry.ts";
import { isTemporary } from "./write-entry.ts";

/** A path that is neither as before the change nor as after it. Texts are for people. */
export interface ForeignChange {
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** What is at a path. */
export type Found =
  | { readonly kind: "nothing" }
  | { readonly kind: "leaf"; readonly state: FileState }
  /** A file whose size says that it is none of those expected; its content was not read. */
  | { readonly kind: "another" }
  /** A directory with something in it. */
  | { readonly kind: "filled" }
  /** A pipe, a socket or a device. */
  | { readonly kind: "other" }
  /** Something above is no directory: there is no way to the path but through a symlink, or none. */
  | { readonly kind: "blocked"; readonly by: string };

/** What was found for each entry, or what does not fit. */
export interface Comparison {
  readonly found: ReadonlyMap<string, Found>;
  /** The facts of the file or symlink at each path, to notice a change since; undefined if there was none. */
  readonly facts: ReadonlyMap<string, string | undefined>;
  readonly foreign: readonly ForeignChange[];
}

/** Looks at every path of a changeset. Fails with `file-unreadable`. */
export async function compareProject(root: string, changes: Changeset): Promise<Result<Comparison>> {
  const entries = new Map(changes.map((entry) => [entry.path, entry]));
  const directories = new Set<string>();
  const found = new Map<string, Found>();
  const facts = new Map<string, string | undefined>();
  const foreign: ForeignChange[] = [];
  const named = new Set<string>();
  for (const entry of changes) {
    // Taken before the content is read: a file that changes meanwhile has other facts afterwards.
    const seen = fileFacts(root, entry.path);
    const looked = await lookFor(root, entry, directories);
    if (!looked.ok) return looked;
    // Beyond what is in the way there may be a symlink, and behind that any file.
    facts.set(entry.path, looked.value.kind === "blocked" ? undefined : seen);
    found.set(entry.path, looked.value);
    const stranger = fits(root, entry, looked.value, entries);
    // A file in place of a directory is in the way of every path below it.
    if (stranger === undefined || named.has(stranger)) continue;
    named.add(stranger);
    const { path, before } = entry;
    foreign.push({ path: stranger, expected: stranger === path ? inWords(before) : "nothing else", found: foundInWords(looked.value) });
  }
  return ok({ found, facts, foreign });
}

/**
 * The facts of a file or symlink; undefined if there is none, or if it cannot be looked at. Not the ctime: replacing one name of a file changes it
 * for the others.
 */
export function fileFacts(root: string, path: string): string | undefined {
  try {
    const stats = lstatAt(root, path);
    return stats === undefined || stats.isDirectory() ? undefined : `${stats.mtimeMs} ${stats.size} ${stats.ino} ${stats.mode}`;
  } catch {
    return undefined;
  }
}

/** Whether a path is exactly as before the change (an empty directory and nothing being the same). */
export function isBefore({ before }: ChangesetEntry, found: Found): boolean {
  if (found.kind === "leaf") return sameState(found.state, before) || (isNothing(found.state) && isNothing(before));
  return found.kind !== "other" && found.kind !== "another" && isNothing(before) && (found.kind !== "filled" || before === undefined);
}

/** Whether a path is exactly as after the change. */
export function isAfter({ after }: ChangesetEntry, found: Found): boolean {
  if (found.kind === "leaf") return sameState(found.state, after);
  return found.kind !== "other" && found.kind !== "another" && after === undefined;
}

async function lookFor(root: string, { path, before, after }: ChangesetEntry, directories: Set<string>): Promise<Result<Found>> {
  try {
    const by = blockage(root, path, directories);
    if (by !== undefined) return ok({ kind: "blocked", by });
    const stats = lstatAt(root, path);
    if (stats === undefined) return ok({ kind: "nothing" });
    const kind = kindOf(stats);
    if (kind === "other") return ok({ kind });
    if (kind === "directory") {
      const isEmpty = namesIn(root, path).every(isTemporary);
      return ok(isEmpty ? { kind: "leaf", state: { mode: "040000" } } : { kind: "filled" });
    }
    if (![before, after].some((state) => mayBe(state, stats))) return ok({ kind: "another" });
    const content = await readEntry(root, path, stats, Number.POSITIVE_INFINITY);
    if (content.ok) return ok({ kind: "leaf", state: content.value.state });
    return err({
      reason: "file-unreadable",
      path: shown(path),
      code: "EACCES",
      detail: "it cannot be compared with what is expected there",
    });
  } catch (error) {
    return err({ reason: "file-unreadable", path: shown(path), ...describeIoError(error) });
  }
}

/** The uppermost thing above a path that is there and is no directory. */
function blockage(root: string, path: string, directories: Set<string>): string | undefined {
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

/** The path that does not fit, if one does not. */
function fits(root: string, entry: ChangesetEntry, found: Found, entries: ReadonlyMap<string, ChangesetEntry>): string | undefined {
  if (found.kind === "blocked" && !entries.has(found.by)) return found.by;
  if (found.kind === "filled" && entry.before === undefined && entry.after !== undefined && "digest" in entry.after) {
    return uncovered(root, entry.path, entries);
  }
  const isEmpty = found.kind === "nothing" || found.kind === "blocked" || (found.kind === "leaf" && isNothing(found.state));
  return (isEmpty && isNothing(entry.after)) || isBefore(entry, found) || isAfter(entry, found) ? undefined : entry.path;
}

/** Something in a directory that makes way for a file, and that the changeset does not delete. */
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
    case "leaf":
      return inWords(found.state);
    case "another":
      return "something else";
    case "filled":
      return "a directory";
    case "other":
      return "a pipe, a socket or a device";
    case "blocked":
      return "no directory";
  }
}
