/**
 * Finds the paths that an attempt may have changed, by walking both trees together. Compares no contents: a returned path
 * may turn out to be unchanged.
 */
import type { Stats } from "node:fs";
import { breather } from "../platform/breather.ts";
import { isGitName } from "../text/path-bytes.ts";
import { below } from "./disk.ts";
import type { EndTree } from "./end-trees.ts";
import type { StartTree } from "./start-tree.ts";

/** The state of a path now. `filled`: a directory with content, which is not an entry of a tree. */
export type EndEntry =
  | { readonly kind: "file" | "symlink"; readonly stats: Stats }
  | { readonly kind: "empty" }
  | { readonly kind: "filled" }
  | { readonly kind: "gone" };

/** Paths to compare, and the pipes, sockets and devices that the attempt created, which a changeset cannot contain. */
export interface FoundChanges {
  readonly entries: ReadonlyMap<string, EndEntry>;
  readonly skipped: readonly string[];
}

/**
 * The trees to search. `hidden`: whether an entry of the start was hidden from the attempt (never called for a directory
 * with content). Such an entry counts as unchanged, unless its path exists now.
 */
export interface ChangeSearch {
  readonly start: StartTree;
  readonly end: EndTree;
  readonly hidden: (path: string) => boolean;
  readonly isExcluded: (path: string) => boolean;
}

const yieldEvery = 2000;
const gone: EndEntry = { kind: "gone" };

/** Walks both trees. Throws file system errors. */
export async function findChanges({ start, end, hidden, isExcluded }: ChangeSearch): Promise<FoundChanges> {
  const entries = new Map<string, EndEntry>();
  const skipped: string[] = [];
  const breathe = breather(yieldEvery);
  const open = [""];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const names = end.endNames(path);
    if (path !== "" && end.isTouched(path)) {
      entries.set(path, { kind: names.length > 0 || containsHidden(path) ? "filled" : "empty" });
    }
    const still = new Set(names);
    if (end.isTouched(path)) for (const name of end.startNames(path)) if (!still.has(name)) markGone(below(path, name));
    for (const name of names) {
      visit(below(path, name), name);
      await breathe();
    }
  }
  return { entries: entries, skipped };

  function visit(path: string, name: string): void {
    if (isGitName(name) || isExcluded(path)) return;
    const node = end.nodeAt(path);
    if (node === "same") return;
    if (node.kind === "directory") {
      open.push(path);
      return;
    }
    if (node.kind === "other") {
      skipped.push(path);
      entries.set(path, gone);
    } else {
      entries.set(path, { kind: node.kind, stats: node.stats });
    }
    if (end.wasDirectory(path)) markChildrenGone(path);
  }

  /** Records that a path and everything below it are gone. */
  function markGone(path: string): void {
    if (isGitName(path.slice(path.lastIndexOf("/") + 1)) || isExcluded(path)) return;
    if (end.wasDirectory(path) && end.startNames(path).length > 0) markChildrenGone(path);
    else if (!hidden(path)) entries.set(path, gone);
  }

  function markChildrenGone(path: string): void {
    for (const name of end.startNames(path)) markGone(below(path, name));
  }

  /** Whether a directory that was empty for the attempt contains hidden entries. */
  function containsHidden(path: string): boolean {
    return start.children(path).some((name) => {
      const child = below(path, name);
      return start.at(child).kind === "directory" ? containsHidden(child) : hidden(child);
    });
  }
}
