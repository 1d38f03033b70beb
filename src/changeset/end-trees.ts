/**
 * The tree that an attempt left, told by what differs from what it started with: by the upper layer of an overlay, or by a copy whose
 * facts were taken before. Looking throws the file system's errors.
 */
import type { Stats } from "node:fs";
import { err, ok, type Result } from "../core/result.ts";
import { walkTree } from "../platform/walk.ts";
import { isGitName } from "../text/path-bytes.ts";
import { grantOwnerAccess, kindOf, lstatAt, namesIn, type RestoreList } from "./disk.ts";
import { factsOf, type Snapshot } from "./snapshot.ts";
import type { StartTree } from "./start-tree.ts";

/** An overlay over the start. Every change is in `upper` as itself: no redirects (`settleRenames`), no metadata-only copies. */
export interface OverlaySource {
  readonly kind: "overlay";
  readonly upper: string;
  /**
   * The names that the mounted overlay still shows in each of the given directories (relative, empty for the root; names as
   * `pathFromBytes` gives them). It is asked once.
   */
  listMerged(directories: readonly string[]): Promise<Result<ReadonlyMap<string, readonly string[]>>>;
}

/** A copy of the start, and the facts that were taken when it had been made. */
export interface CopySource {
  readonly kind: "copy";
  readonly directory: string;
  readonly snapshot: Snapshot;
}

/** What is at a path at the end. `same`: certainly what was there at the start. */
export type EndNode = "same" | { readonly kind: "file" | "symlink" | "other" | "directory"; readonly stats: Stats };

export interface EndTree {
  /** The directory in which paths lie that are not the same. */
  readonly directory: string;
  /** Whether the attempt found a directory at a path. */
  wasDirectory(path: string): boolean;
  /** What the attempt found in a directory; what was hidden from it may be among it. */
  startNames(path: string): readonly string[];
  endNames(path: string): readonly string[];
  look(path: string): EndNode;
  /** Whether names in a directory may have come or gone. */
  isTouched(path: string): boolean;
}

/**
 * The end of an attempt in an overlay. `isLeftOut` is what is not worth looking at; `onWritten` is told what lies in the layer before
 * `listMerged` is asked. Fails as that does.
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
  const asked = [...names.keys()].filter((path) => start.at(path).kind === "directory");
  const merged = await listMerged(asked);
  if (!merged.ok) return merged;
  const missing = asked.find((path) => !merged.value.has(path));
  if (missing !== undefined) return err({ reason: "workspace-failed", code: "ENOENT", detail: `the overlay does not show ${missing}` });
  return ok({
    directory: upper,
    wasDirectory: (path) => start.at(path).kind === "directory",
    startNames: (path) => start.children(path),
    endNames: (path) => merged.value.get(path) ?? names.get(path) ?? [],
    look: (path) => {
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
    look: (path) => {
      const stats = lstatAt(directory, path);
      if (stats === undefined || factsOf(stats) === snapshot.files.get(path)) return "same";
      return { kind: kindOf(stats), stats };
    },
    isTouched,
  };
}

/** How an overlay writes that something below is gone. */
function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}
