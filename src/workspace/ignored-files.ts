/**
 * Digests the files that git ignores. A step and its contracts can read them, so a result depends on them as on any other
 * file. They are separate from the base: build outputs there are neither drift nor changes of the project.
 */
import { createHash } from "node:crypto";
import { lstatSync } from "node:fs";
import type { BaseEntry } from "../core/base.ts";
import type { Digest } from "../core/digest.ts";
import type { DependencyDirectory } from "../core/plan.ts";
import { walkTree } from "../platform/walk.ts";
import { fsPath, pathToBytes } from "../text/path-bytes.ts";
import { type BaseIndex, entryAt } from "./base-index.ts";

/** Directories that a package manager fills, with the lockfiles that determine their content. */
const lockfiles: ReadonlyMap<string, readonly string[]> = new Map([
  ["node_modules", ["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"]],
  [".venv", ["uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"]],
  ["vendor", ["composer.lock", "go.sum", "Gemfile.lock", "Cargo.lock"]],
  ["target", ["Cargo.lock"]],
]);

/** The ignored files that a step may read, by key. */
export type IgnoredViews = ReadonlyMap<string, (path: string) => boolean>;

/** The digests of a project's ignored files. */
export interface IgnoredLook {
  /** By the keys of the views. */
  readonly digests: Readonly<Record<string, Digest>>;
  /** Directories that count by their lockfile and by the names and sizes of their files. */
  readonly dependencies: readonly DependencyDirectory[];
}

/** Limits for a scan whose result may not be needed. */
export interface LookLimits {
  readonly files: number;
  /** Bytes to hash. Files with known stat data are not hashed. */
  readonly bytes: number;
}

export interface IgnoredSource {
  readonly root: string;
  /** Paths that are ignored as a whole: files and directories, relative to the root. */
  readonly roots: readonly string[];
  readonly isExcluded: (path: string) => boolean;
  readonly index: BaseIndex;
  /** Object ids of tracked files, by path; the lockfiles among them count. */
  readonly tracked: ReadonlyMap<string, string>;
}

/** Ignored files, each with its line of the digest. */
export interface IgnoredFiles {
  readonly lines: readonly { readonly path: string; readonly line: string }[];
  readonly dependencies: readonly DependencyDirectory[];
}

/**
 * Lists the ignored files below `roots` and hashes those whose stat data changed. Undefined if they exceed `limits`.
 * `.git` and the state directory never count. Symlinks count by their target text.
 */
export async function listIgnored(source: IgnoredSource, limits?: LookLimits): Promise<IgnoredFiles | undefined> {
  const { root, roots, isExcluded, index } = source;
  const lines: { path: string; line: string }[] = [];
  const dependencies: DependencyDirectory[] = [];
  let bytes = 0;
  const isOver = () => limits !== undefined && (lines.length > limits.files || bytes > limits.bytes);
  const add = (path: string, dependency: DependencyDirectory | undefined) => {
    if (dependency !== undefined) lines.push({ path, line: sizeOf(root, path) });
    else {
      const before = index.hashedBytes;
      const entry = entryAt(root, path, index);
      bytes += index.hashedBytes - before;
      if (isEntry(entry)) lines.push({ path, line: `${entry.mode} ${entry.oid}` });
    }
  };
  for (const top of roots) {
    if (isExcluded(top)) continue;
    const stats = lstatSync(fsPath(root, top), { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (!stats.isDirectory()) {
      add(top, undefined);
      if (isOver()) return undefined;
      continue;
    }
    const open: { path: string; dependency: DependencyDirectory | undefined }[] = [{ path: top, dependency: begin(top, undefined) }];
    await walkTree(root, {
      from: top,
      enter({ name, path }) {
        if (name === ".git" || isExcluded(path) || isOver()) return false;
        open.push({ path, dependency: begin(path, open.at(-1)?.dependency) });
        return true;
      },
      leave: () => void open.pop(),
      visit({ path, name, kind }) {
        if (kind !== "directory" && name !== ".git" && !isExcluded(path) && !isOver()) add(path, open.at(-1)?.dependency);
      },
      onDenied: (path) => void lines.push({ path, line: "unreadable" }),
    });
    if (isOver()) return undefined;
  }
  return { lines, dependencies };

  function begin(path: string, above: DependencyDirectory | undefined): DependencyDirectory | undefined {
    const found = above ?? dependencyAt(path, source.tracked);
    if (found === undefined || above !== undefined) return found;
    dependencies.push(found);
    lines.push({ path, line: `dependencies ${found.lockfile} ${source.tracked.get(found.lockfile)}` });
    return found;
  }
}

/** The digests of ignored files through views. */
export function digestIgnored({ lines }: IgnoredFiles, views: IgnoredViews): Record<string, Digest> {
  const sorted = [...lines].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const digests: Record<string, Digest> = {};
  for (const [key, includes] of views) {
    const hash = createHash("sha256").update("ignored files 1\0");
    for (const { path, line } of sorted) if (includes(path)) hash.update(`${line}\t`).update(pathToBytes(path)).update("\0");
    digests[key] = `sha256:${hash.digest("hex")}`;
  }
  return digests;
}

/** The nearest tracked lockfile above a dependency directory; in a workspace, that of the root. */
function dependencyAt(path: string, tracked: ReadonlyMap<string, string>): DependencyDirectory | undefined {
  const slash = path.lastIndexOf("/");
  const names = lockfiles.get(path.slice(slash + 1));
  for (let above = path; names !== undefined && above !== ""; ) {
    above = above.slice(0, Math.max(0, above.lastIndexOf("/")));
    const lockfile = names.map((name) => (above === "" ? name : `${above}/${name}`)).find((name) => tracked.has(name));
    if (lockfile !== undefined) return { path, lockfile };
  }
  return undefined;
}

function sizeOf(root: string, path: string): string {
  try {
    return `size ${lstatSync(fsPath(root, path)).size}`;
  } catch {
    return "unreadable";
  }
}

function isEntry(entry: BaseEntry | "directory" | undefined): entry is BaseEntry {
  return entry !== undefined && entry !== "directory";
}
