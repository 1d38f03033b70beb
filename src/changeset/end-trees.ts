/**
 * The tree that an attempt left, described by its differences from the start: by the upper layer of an overlay, or by
 * comparing a copy with its snapshot. Methods throw file system errors.
 */
import type { Stats } from "node:fs";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { kindOf, walkTree } from "../platform/walk.ts";
import { isGitName } from "../text/path-bytes.ts";
import { grantOwnerAccess, lstatAt, namesIn, type RestoreList } from "./disk.ts";
import { factsOf, type Snapshot } from "./snapshot.ts";
import type { StartTree } from "./start-tree.ts";

/** An overlay over the start. `upper` contains every change itself: no redirects (`completeRenames`), no metadata-only copies. */
export interface OverlaySource {
  readonly kind: "overlay";
  readonly upper: string;
  /**
   * The names that the mounted overlay still shows in each directory (relative, `""` for the root; names in the form of
   * `pathFromBytes`). Called once.
   */
  listMerged(directories: readonly string[]): Promise<Result<ReadonlyMap<string, readonly string[]>>>;
}

/** A copy of the start, and its snapshot from before the attempt. */
export interface CopySource {
  readonly kind: "copy";
  readonly directory: string;
  readonly snapshot: Snapshot;
}

/** The state of a path at the end. `same`: certainly unchanged since the start. */
export type EndNode = "same" | { readonly kind: "file" | "symlink" | "other" | "directory"; readonly stats: Stats };

export interface EndTree {
  /** The directory that contains the changed paths. */
  readonly directory: string;
  /** Whether a path was a directory at the start. */
  wasDirectory(path: string): boolean;
  /** The names in a directory at the start; they may include some that were hidden from the attempt. */
  startNames(path: string): readonly string[];
  endNames(path: string): readonly string[];
  nodeAt(path: string): EndNode;
  /** Whether names in a directory may have appeared or disappeared. */
  isTouched(path: string): boolean;
}

/**
 * The end of an attempt in an overlay. `isExcluded`: paths to skip. `onWritten` gets the layer's entries before
 * `listMerged` is called. Fails like `listMerged`.
 */
export async function overlayEnd(
  { upper, listMerged }: OverlaySource,
  start: StartTree,
  isExcluded: (path: string) => boolean,
  widened: RestoreList,
  onWritten: (nodes: ReadonlyMap<string, Stats>) => void = () => undefined,
): Promise<Result<EndTree>> {
  const nodes = new Map<string, Stats>();
  const names = new Map<string, string[]>([["", []]]);
  const own = lstatAt(upper, "");
  if (own !== undefined) grantOwnerAccess(upper, "", own, widened);
  await walkTree(upper, {
    visit({ name, path, directory }) {
      const stats = lstatAt(upper, path);
      if (stats === undefined || isWhiteout(stats)) return;
      names.get(directory)?.push(name);
      nodes.set(path, stats);
    },
    enter({ name, path }) {
      const stats = nodes.get(path);
      if (stats === undefined || isGitName(name) || isExcluded(path)) return false;
      grantOwnerAccess(upper, path, stats, widened);
      names.set(path, []);
      return true;
    },
  });
  onWritten(nodes);
  const directories = [...names.keys()].filter((path) => start.at(path).kind === "directory");
  const merged = await listMerged(directories);
  if (!merged.ok) return merged;
  const unlisted = directories.find((path) => !merged.value.has(path));
  if (unlisted !== undefined) return workspaceFailed("ENOENT", `the overlay does not show ${unlisted}`);
  return ok({
    directory: upper,
    wasDirectory: (path) => start.at(path).kind === "directory",
    startNames: (path) => start.children(path),
    endNames: (path) => merged.value.get(path) ?? names.get(path) ?? [],
    nodeAt: (path) => {
      const stats = nodes.get(path);
      return stats === undefined ? "same" : { kind: kindOf(stats), stats };
    },
    isTouched: (path) => names.has(path),
  });
}

/** The end of an attempt in a copy. */
export function copyEnd({ directory, snapshot }: CopySource, widened: RestoreList): EndTree {
  const isTouched = (path: string) => {
    const stats = lstatAt(directory, path);
    return stats === undefined || factsOf(stats) !== snapshot.directories.get(path)?.facts;
  };
  return {
    directory,
    wasDirectory: (path) => snapshot.directories.has(path),
    startNames: (path) => snapshot.directories.get(path)?.names ?? [],
    endNames: (path) => {
      const stats = lstatAt(directory, path);
      if (stats === undefined) return [];
      const before = snapshot.directories.get(path);
      if (before !== undefined && before.facts === factsOf(stats)) return before.names;
      grantOwnerAccess(directory, path, stats, widened);
      return namesIn(directory, path);
    },
    nodeAt: (path) => {
      const stats = lstatAt(directory, path);
      if (stats === undefined || factsOf(stats) === snapshot.files.get(path)) return "same";
      return { kind: kindOf(stats), stats };
    },
    isTouched,
  };
}

/** Whether an overlay records here that a lower path was removed. */
function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}
