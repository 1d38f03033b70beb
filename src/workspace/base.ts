/**
 * Computes the base: digests of the project's tree when a run starts. They show whether two trees are equal, as a whole
 * and in the parts that each set of permissions lets a step read. Copies no files.
 */

import { createHash, type Hash } from "node:crypto";
import { statSync } from "node:fs";
import path from "node:path";
import type { BaseEntry, BaseListing } from "../core/base.ts";
import type { Digest } from "../core/digest.ts";
import type { BaseRef } from "../core/event.ts";
import { err, ok, type Result } from "../core/result.ts";
import { insideTest } from "../platform/paths.ts";
import { hasEscapes, pathToBytes } from "../text/path-bytes.ts";
import { gitFiles, type Listing, listRepository } from "./base-git.ts";
import { type BaseIndex, openBaseIndex, saveBaseIndex } from "./base-index.ts";
import { walkFiles } from "./base-walk.ts";
import { digestIgnored, type IgnoredFiles, type IgnoredLook, type IgnoredViews, type LookLimits, listIgnored } from "./ignored-files.ts";

/** The files of a base, for later comparison with the project. */
export interface BaseFiles extends BaseListing {
  /** Digests the ignored files through views. Undefined if they exceed the limits. */
  ignored(views: IgnoredViews, limits?: LookLimits): Promise<IgnoredLook | undefined>;
}

/** A listing in progress. */
export type ProjectListing = Promise<Listing | undefined>;

/** Starts listing the project at `root`, so that git runs while the manifest is read. */
export function listProject(root: string): ProjectListing {
  return problemWith(root) === undefined ? listRepository(root) : Promise.resolve(undefined);
}

/**
 * Takes the base of the project at `root` (absolute; may be a subdirectory of a repository).
 *
 * A digest covers path, kind, executable bit and content of the files on disk: with git, the tracked files and the
 * untracked ones that are not ignored; without git, or if the repository ignores the whole project, everything except
 * `node_modules`. Ignored files have separate digests (`BaseFiles.ignored`). `.git` and the state directory never count.
 * HEAD is recorded as `head` and counts only for views whose filter includes `.git/HEAD`, so a commit that changes no file
 * changes no other digest.
 *
 * `views`: the filters to take digests through, by key. `listing`: a listing that was already started. Fails with
 * `file-unreadable` if `root` is not a directory.
 */
export async function takeBase(
  root: string,
  stateDir: string,
  views: ReadonlyMap<string, (path: string) => boolean>,
  listing: ProjectListing = listProject(root),
): Promise<Result<BaseRef>> {
  const read = await readBase(root, stateDir, views, listing);
  return read.ok ? ok(read.value.base) : read;
}

/** The base together with its files. */
export async function readBase(
  root: string,
  stateDir: string,
  views: ReadonlyMap<string, (path: string) => boolean>,
  listing: ProjectListing = listProject(root),
): Promise<Result<{ readonly base: BaseRef; readonly files: BaseFiles }>> {
  const problem = problemWith(root);
  if (problem !== undefined) return err({ reason: "file-unreadable", path: root, ...problem });
  const isExcluded = insideTest(root, path.resolve(root, stateDir));
  const listed = await listing;
  const git = await gitFiles(root, stateDir, listed, isExcluded);
  if (git !== undefined) {
    saveBaseIndex(stateDir, git.index);
    const head = git.head === undefined ? {} : { head: git.head };
    const { entries, index } = git;
    const tracked = entries.filter((entry) => git.tracked.has(entry.path));
    return ok({
      base: { kind: "git", ...head, ...digestsOf(entries, views, git.head) },
      files: {
        algorithm: index.algorithm,
        entries,
        isStored: ({ path: file, oid }) => listed?.staged.get(file)?.oid === oid,
        ignored: ignoredIn({ ...git, tracked }),
      },
    });
  }
  const index = openBaseIndex(stateDir, "sha1");
  const packages: string[] = [];
  const entries = await walkFiles(root, "", isExcluded, index, packages);
  saveBaseIndex(stateDir, index);
  return ok({
    base: { kind: "files", ...digestsOf(entries, views, undefined) },
    files: {
      algorithm: index.algorithm,
      entries,
      isStored: () => false,
      ignored: ignoredIn({ index, ignored: packages, tracked: entries }),
    },
  });

  function ignoredIn(found: Listed): BaseFiles["ignored"] {
    let all: Promise<IgnoredFiles | undefined> | undefined;
    return async (ignoredViews, limits) => {
      all ??= listOnce(root, stateDir, isExcluded, found, limits);
      const files = await all;
      return files === undefined ? undefined : { digests: digestIgnored(files, ignoredViews), dependencies: files.dependencies };
    };
  }
}

interface Listed {
  /** The files that git tracks; without git, all files. */
  readonly tracked: readonly BaseEntry[];
  readonly index: BaseIndex;
  readonly ignored: readonly string[];
}

async function listOnce(
  root: string,
  stateDir: string,
  isExcluded: (path: string) => boolean,
  { tracked, index: { algorithm }, ignored }: Listed,
  limits: LookLimits | undefined,
): Promise<IgnoredFiles | undefined> {
  if (ignored.every(isExcluded)) return { lines: [], dependencies: [] };
  const index = openBaseIndex(stateDir, algorithm, undefined, "ignored-index.json");
  const known = new Map(tracked.map(({ path: file, oid }) => [file, oid]));
  const files = await listIgnored({ root, roots: ignored, isExcluded: isExcluded, index, tracked: known }, limits);
  if (files !== undefined) saveBaseIndex(stateDir, index);
  return files;
}

function digestsOf(
  entries: readonly BaseEntry[],
  views: ReadonlyMap<string, (path: string) => boolean>,
  head: string | undefined,
): Pick<BaseRef, "tree" | "views"> {
  const tree = createHash("sha256");
  const open = [...views].map(([key, includes]) => ({ key, includes, hash: createHash("sha256") }));
  for (const { path: name, mode, oid } of [...entries].sort(byPath)) {
    // Names that are not UTF-8 differ only as bytes.
    const line = hasEscapes(name)
      ? Buffer.concat([Buffer.from(`${mode} ${oid}\t`), pathToBytes(name), Buffer.of(0)])
      : `${mode} ${oid}\t${name}\0`;
    tree.update(line);
    for (const view of open) if (view.includes(name)) view.hash.update(line);
  }
  for (const view of open) if (view.includes(".git/HEAD")) view.hash.update(`HEAD ${head ?? "none"}\0`);
  return { tree: closed(tree), views: Object.fromEntries(open.map(({ key, hash }) => [key, closed(hash)])) };
}

function closed(hash: Hash): Digest {
  return `sha256:${hash.digest("hex")}`;
}

function byPath(a: BaseEntry, b: BaseEntry): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function problemWith(root: string): { code: string; detail: string } | undefined {
  try {
    return statSync(root).isDirectory() ? undefined : { code: "ENOTDIR", detail: "the project's root is not a directory" };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { code: code ?? "UNKNOWN", detail: message };
  }
}
