/**
 * Finds the paths at which an attempt may have changed something, by walking both trees together. It compares no contents: a path
 * that it gives may turn out to be as it was.
 */
import type { Stats } from "node:fs";
import { breather } from "../platform/breather.ts";
import { isGitName } from "../text/path-bytes.ts";
import { below } from "./disk.ts";
import type { EndTree } from "./end-trees.ts";
import type { StartTree } from "./start-tree.ts";

/** What is at a path now. `filled`: a directory with something in it, which is no leaf of a tree. */
export type EndEntry =
  | { readonly kind: "file" | "symlink"; readonly stats: Stats }
  | { readonly kind: "empty" }
  | { readonly kind: "filled" }
  | { readonly kind: "gone" };

/** Paths to compare, and the pipes, sockets and devices that the attempt made, which no changeset can carry. */
export interface FoundChanges {
  readonly entries: ReadonlyMap<string, EndEntry>;
  readonly skipped: readonly string[];
}

/**
 * What to look at. `hidden`: whether a leaf of the start (it is never asked about a directory that holds something) was kept from the
 * attempt; such a one stays what it was, unless there is something at its path now.
 */
export interface Search {
  readonly start: StartTree;
  readonly end: EndTree;
  readonly hidden: (path: string) => boolean;
  readonly isExcluded: (path: string) => boolean;
}

const yieldEvery = 2000;
const gone: EndEntry = { kind: "gone" };

/** Walks. Throws the file system's errors. */
export async function findChanges({ start, end, hidden, isExcluded }: Search): Promise<FoundChanges> {
  const entries = new Map<string, EndEntry>();
  const skipped: string[] = [];
  const breathe = breather(yieldEvery);
  const open = [""];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const names = end.endNames(path);
    if (path !== "" && end.isTouched(path)) {
      entries.set(path, { kind: names.length > 0 || holdsHidden(path) ? "filled" : "empty" });
    }
    const still = new Set(names);
    if (end.isTouched(path)) for (const name of end.startNames(path)) if (!still.has(name)) lose(below(path, name));
    for (const name of names) {
      visit(below(path, name), name);
      await breathe();
    }
  }
  return { entries: entries, skipped };

  function visit(path: string, name: string): void {
    if (isGitName(name) || isExcluded(path)) return;
    const node = end.look(path);
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
    if (end.wasDirectory(path)) loseChildren(path);
  }

  /** What was at a path, and all below it, is not there any more. */
  function lose(path: string): void {
    if (isGitName(path.slice(path.lastIndexOf("/") + 1)) || isExcluded(path)) return;
    if (end.wasDirectory(path) && end.startNames(path).length > 0) loseChildren(path);
    else if (!hidden(path)) entries.set(path, gone);
  }

  function loseChildren(path: string): void {
    for (const name of end.startNames(path)) lose(below(path, name));
  }

  /** Whether something that was hidden from the attempt is still in a directory that looked empty to it. */
  function holdsHidden(path: string): boolean {
    return start.children(path).some((name) => {
      const child = below(path, name);
      return start.at(child).kind === "directory" ? holdsHidden(child) : hidden(child);
    });
  }
}
