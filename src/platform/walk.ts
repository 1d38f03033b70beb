/**
 * Walks directory trees. It never follows symlinks below its root, preserves names that are not UTF-8, and visits entries in the same
 * order on every machine. It does not recurse, so only the length of paths limits the depth of a tree.
 */
import { type Dirent, readdirSync } from "node:fs";
import { fsPath, pathFromBytes } from "../text/path-bytes.ts";
import { breather } from "./breather.ts";

/** The type of a directory entry. `other`: a pipe, a socket or a device. */
export type EntryKind = "file" | "symlink" | "directory" | "other";

/** A directory entry at the time of listing. */
export interface WalkedEntry {
  /** Relative to the root, with forward slashes, as `pathFromBytes` returns it. */
  readonly path: string;
  readonly name: string;
  /** The path of its directory; empty for the root. */
  readonly directory: string;
  readonly kind: EntryKind;
}

/** How to walk. All paths are relative to the root, with forward slashes. */
export interface WalkOptions {
  /** The start directory; defaults to the root. The kernel resolves symlinks in this path. */
  readonly from?: string;
  /** Returns whether to list a directory; defaults to true. Called after the directory is visited and just before it is listed. */
  readonly enter?: (directory: WalkedEntry) => boolean;
  /** Called for each entered directory after its entries were visited, even if it could not be listed. */
  readonly leave?: (directory: WalkedEntry) => void;
  /**
   * Called with a directory that cannot be listed, which then counts as empty. Defaults to throwing the error. A directory other than the
   * start that was removed or replaced in the meantime counts as empty without a call.
   */
  readonly onDenied?: (path: string, error: NodeJS.ErrnoException) => void;
}

/** Entries between two yields to the event loop: about 10 ms of `lstat` calls on a slow disk. */
const yieldEvery = 1000;

/**
 * Calls `visit` with each entry below `root`: directories before their entries, siblings by name. Yields to the event loop regularly.
 * Rejects with errors of `visit`, `enter`, `leave` and `onDenied`.
 */
export async function walkTree(
  root: string,
  { visit, ...options }: WalkOptions & { readonly visit?: (entry: WalkedEntry) => Promise<void> | void },
): Promise<void> {
  const breathe = breather(yieldEvery);
  for (const entry of entriesBelow(root, options)) {
    const visited = visit?.(entry);
    if (visited !== undefined) await visited;
    await breathe();
  }
}

interface Listing {
  /** Undefined for the start directory, which is not an entry. */
  readonly of: WalkedEntry | undefined;
  readonly entries: readonly WalkedEntry[];
  next: number;
}

/** Like `walkTree`, but synchronous: for small trees and for callers that stop early. Throws the same errors. */
export function* entriesBelow(root: string, { from = "", enter, leave, onDenied }: WalkOptions = {}): Generator<WalkedEntry, void, void> {
  const open: Listing[] = [listingOf(undefined)];
  for (let listing = open.at(-1); listing !== undefined; listing = open.at(-1)) {
    const entry = listing.entries[listing.next++];
    if (entry === undefined) {
      open.pop();
      if (listing.of !== undefined) leave?.(listing.of);
      continue;
    }
    yield entry;
    if (entry.kind === "directory" && (enter === undefined || enter(entry))) open.push(listingOf(entry));
  }

  function listingOf(directory: WalkedEntry | undefined): Listing {
    const path = directory?.path ?? from;
    try {
      return { of: directory, entries: entriesIn(root, path), next: 0 };
    } catch (error) {
      const problem = error as NodeJS.ErrnoException;
      const isGone = problem.code === "ENOENT" || problem.code === "ENOTDIR";
      if (directory === undefined || !isGone) {
        if (onDenied === undefined) throw error;
        onDenied(path, problem);
      }
      return { of: directory, entries: [], next: 0 };
    }
  }
}

/** The entries of the directory at `path`, sorted by name. Throws the file system's errors. */
export function entriesIn(root: string, path = ""): readonly WalkedEntry[] {
  const place = fsPath(root, path);
  const listed = readdirSync(place, { withFileTypes: true });
  // Node replaces invalid UTF-8 by U+FFFD. Names as bytes are several times slower, so they are read only then.
  const entries = listed.some(({ name }) => name.includes("\uFFFD"))
    ? readdirSync(place, { withFileTypes: true, encoding: "buffer" }).map((entry) => entryOf(path, pathFromBytes(entry.name), entry))
    : listed.map((entry) => entryOf(path, entry.name, entry));
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function entryOf(directory: string, name: string, entry: Dirent | Dirent<Buffer>): WalkedEntry {
  return { path: directory === "" ? name : `${directory}/${name}`, name, directory, kind: kindOf(entry) };
}

/** The kind of a listed name, or of the facts of a path. */
export function kindOf(entry: Pick<Dirent, "isFile" | "isDirectory" | "isSymbolicLink">): EntryKind {
  return entry.isFile() ? "file" : entry.isDirectory() ? "directory" : entry.isSymbolicLink() ? "symlink" : "other";
}

/** The names in a directory. None if it cannot be listed. */
export function readableNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
