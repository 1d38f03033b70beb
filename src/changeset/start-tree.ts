/**
 * The tree that an attempt started from: the project's directory with a changeset applied. Nothing is written; the disk is
 * read only for requested paths.
 */
import type { Stats } from "node:fs";
import type { Changeset, FileState } from "../core/changeset.ts";
import { kindOf } from "../platform/walk.ts";
import { parentsOf } from "./combine-changes.ts";
import { below, lstatAt, namesIn } from "./disk.ts";

/** The state of a path at the start: an entry from the changeset, or the path on disk. */
export type StartNode =
  | { readonly kind: "kept"; readonly state: FileState }
  | { readonly kind: "disk"; readonly stats: Stats }
  | { readonly kind: "directory" }
  | { readonly kind: "absent" }
  /** A pipe, a socket or a device. */
  | { readonly kind: "other" };

export interface StartTree {
  at(path: string): StartNode;
  /** The names in a directory; empty if it is not a directory. */
  children(path: string): readonly string[];
  /** Whether the changeset alone determines the state of a path, so that the disk does not matter. */
  isDecided(path: string): boolean;
}

/** Opens the tree. Results are cached, so nothing may change meanwhile. Methods throw file system errors. */
export function openStartTree(root: string, start: Changeset): StartTree {
  const { entries, added, touched } = indexOf(start);
  const directories = new Map<string, boolean>([["", true]]);
  const known = new Map<string, readonly string[]>();
  return { at, children, isDecided };

  function at(path: string): StartNode {
    if (path === "") return { kind: "directory" };
    const entry = entries.get(path);
    const after = entry?.after;
    if (after !== undefined && "digest" in after) return { kind: "kept", state: after };
    if (after !== undefined || added.has(path)) return { kind: "directory" };
    const stats = isOnDisk(path) ? lstatAt(root, path) : undefined;
    if (stats === undefined) return { kind: "absent" };
    const kind = kindOf(stats);
    if (kind !== "directory") {
      if (entry !== undefined) return { kind: "absent" };
      return kind === "other" ? { kind } : { kind: "disk", stats };
    }
    const emptied = (entry !== undefined || touched.has(path)) && children(path).length === 0;
    return emptied ? { kind: "absent" } : { kind: "directory" };
  }

  function children(path: string): readonly string[] {
    const remembered = known.get(path);
    if (remembered !== undefined) return remembered;
    const names = new Set(added.get(path));
    for (const name of isDirectoryOnDisk(path) ? namesIn(root, path) : []) {
      const child = below(path, name);
      if (!names.has(name) && (!(entries.has(child) || touched.has(child)) || at(child).kind !== "absent")) names.add(name);
    }
    const found = [...names];
    known.set(path, found);
    return found;
  }

  function isDecided(path: string): boolean {
    return entries.has(path) || added.has(path) || parentsOf(path).some(isReplaced);
  }

  /** Whether the changeset put a file or symlink at a path. */
  function isReplaced(path: string): boolean {
    const after = entries.get(path)?.after;
    return after !== undefined && "digest" in after;
  }

  /** Whether a path on disk is visible: all its parents are directories, and the changeset replaced none of them by a file. */
  function isOnDisk(path: string): boolean {
    const slash = path.lastIndexOf("/");
    return slash === -1 || isDirectoryOnDisk(path.slice(0, slash));
  }

  function isDirectoryOnDisk(path: string): boolean {
    const remembered = directories.get(path);
    if (remembered !== undefined) return remembered;
    const found = !isReplaced(path) && isOnDisk(path) && lstatAt(root, path)?.isDirectory() === true;
    directories.set(path, found);
    return found;
  }
}

function indexOf(start: Changeset) {
  const entries = new Map(start.map((entry) => [entry.path, entry]));
  /** Directory → names that the changeset adds to it. */
  const added = new Map<string, Set<string>>();
  /** Directories in which the changeset changes something. */
  const touched = new Set<string>();
  for (const { path, after } of start) {
    for (const parent of parentsOf(path)) touched.add(parent);
    if (after !== undefined) addParents(added, path);
  }
  return { entries, added, touched };
}

function addParents(added: Map<string, Set<string>>, path: string): void {
  let child = path;
  for (const parent of [...parentsOf(path), ""]) {
    const name = parent === "" ? child : child.slice(parent.length + 1);
    const names = added.get(parent);
    if (names?.has(name) === true) return;
    if (names === undefined) added.set(parent, new Set([name]));
    else names.add(name);
    child = parent;
  }
}
