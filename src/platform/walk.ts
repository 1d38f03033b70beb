/**
 * The one directory walker. It never follows a symlink below its root, keeps names exact even if they are not UTF-8, and visits entries in the
 * same order on every machine. It does not recurse, so the depth of a tree is limited by the length of paths only.
 */
import { type Dirent, readdirSync } from "node:fs";
import { fsPath, pathFromBytes } from "../text/path-bytes.ts";
import { breather } from "./breather.ts";

/** What a name in a directory refers to. `other`: a pipe, a socket or a device. */
export type EntryKind = "file" | "symlink" | "directory" | "other";

/** One name in a directory, as it was when the directory was listed. */
export interface WalkedEntry {
  /** Relative to the root, with forward slashes, as `pathFromBytes` returns it. */
  readonly path: string;
  readonly name: string;
  /** The path of the directory it is in; empty for the root. */
  readonly directory: string;
  readonly kind: EntryKind;
}

/** How to walk. All paths are relative to the root, with forward slashes. */
export interface WalkOptions {
  /** The directory in which the walk starts; defaults to the root. The kernel resolves symlinks in this path. */
  readonly from?: string;
  /** Returns whether to list a directory; defaults to true. Called after the directory was visited, and just before it is listed. */
  readonly enter?: (directory: WalkedEntry) => boolean;
  /** Called when all that is in a directory was visited. Every directory that was entered is left, even if it could not be listed. */
  readonly leave?: (directory: WalkedEntry) => void;
  /**
   * Called with a directory that cannot be listed; it then counts as empty. Defaults to throwing the error. A directory that was removed or
   * replaced after its name was read counts as empty without a call, except for the one in which the walk starts.
   */
  readonly onDenied?: (path: string, error: NodeJS.ErrnoException) => void;
}

/** Entries between two yields to the event loop: about 10 ms of `lstat` calls on a slow disk. */
const yieldEvery = 1000;

/**
 * Calls `visit` with everything below `root`, a directory before what is in it and siblings by name, and yields to the event loop every so often.
 * Rejects with what `visit`, `enter`, `leave` or `onDenied` throws.
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
  /** Undefined for the directory in which the walk starts: it is not an entry. */
  readonly of: WalkedEntry | undefined;
  readonly entries: readonly WalkedEntry[];
  next: number;
}

/** The same walk without a yield to the event loop, for small trees and for callers that stop early. Throws as `walkTree` rejects. */
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

/** What is directly in the directory at `path`, sorted by name. Throws the file system's errors. */
export function entriesIn(root: string, path = ""): readonly WalkedEntry[] {
  const place = fsPath(root, path);
  const found = readdirSync(place, { withFileTypes: true });
  // Node replaces bytes that are not UTF-8 with U+FFFD. Names as bytes cost several times as much, so they are read only then.
  const entries = found.some(({ name }) => name.includes("\uFFFD"))
    ? readdirSync(place, { withFileTypes: true, encoding: "buffer" }).map((entry) => entryOf(path, pathFromBytes(entry.name), entry))
    : found.map((entry) => entryOf(path, entry.name, entry));
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function entryOf(directory: string, name: string, entry: Dirent | Dirent<Buffer>): WalkedEntry {
  return { path: directory === "" ? name : `${directory}/${name}`, name, directory, kind: kindOf(entry) };
}

function kindOf(entry: Dirent | Dirent<Buffer>): EntryKind {
  return entry.isFile() ? "file" : entry.isDirectory() ? "directory" : entry.isSymbolicLink() ? "symlink" : "other";
}
