/**
 * Lists the files of a project from git's index: tracked and untracked ones with their content in the work tree, without
 * ignored ones. Clean files are not read: their ids are in the index, and git knows which are clean. Repositories inside
 * the project (submodules, clones) are listed the same way. Nothing is written, not even a refreshed index.
 *
 * An id is that of the bytes on disk. The index only saves reads: files that a filter converts (LFS) and files that git
 * does not check are read. Where git converts line endings, a clean file has the id that git stores: its bytes
 * differ in nothing else.
 */

import { existsSync } from "node:fs";
import path from "node:path";
import type { BaseEntry } from "../core/base.ts";
import { defined } from "../core/defined.ts";
import { realPlace } from "../platform/files.ts";
import { discoverRepository, openRepository, runGit, runGitEach } from "../platform/git.ts";
import { headCommit } from "../platform/git-head.ts";
import { pathFromBytes } from "../text/path-bytes.ts";
import { type BaseIndex, entryAt, openBaseIndex } from "./base-index.ts";
import { walkFiles } from "./base-walk.ts";
import { convertedPaths } from "./converted-paths.ts";

export interface GitFiles {
  /** HEAD's commit. Undefined in a repository without commits. */
  readonly head?: string;
  readonly entries: readonly BaseEntry[];
  readonly index: BaseIndex;
  /** Ignored paths. A directory that is ignored as a whole is a single path. */
  readonly ignored: readonly string[];
  /** The paths in the index. */
  readonly tracked: ReadonlySet<string>;
}

/** Git's view of a directory. */
export interface Listing {
  readonly head?: string;
  readonly algorithm: "sha1" | "sha256";
  /** By path; paths with unmerged stages have no id. */
  readonly staged: ReadonlyMap<string, { readonly mode: string; readonly oid: string | undefined }>;
  /**
   * Paths that differ from the index (modified, deleted, untracked), and those whose bytes on disk the index does not
   * describe. A trailing slash marks a nested repository.
   */
  readonly dirty: readonly string[];
  /** Ignored paths; a trailing slash marks a directory that is ignored as a whole. */
  readonly ignored: readonly string[];
}

const yieldEvery = 500;

/** The project's files. Undefined if git does not know them: no git, no repository, or a directory that the repository ignores. */
export async function gitFiles(
  root: string,
  stateDir: string,
  listing: Listing | undefined,
  isExcluded: (path: string) => boolean,
): Promise<GitFiles | undefined> {
  if (listing === undefined || listing.staged.size + listing.dirty.length === 0) return undefined;
  const index = openBaseIndex(stateDir, listing.algorithm);
  const found = { ignored: [], tracked: new Set<string>() };
  const entries = await entriesOf({ root, prefix: "", listing, isExcluded: isExcluded, index, ...found });
  return { ...defined({ head: listing.head }), entries, index, ...found };
}

interface Scope {
  readonly root: string;
  /** The repository's path in the project: empty, or with a trailing slash. */
  readonly prefix: string;
  readonly listing: Listing;
  readonly isExcluded: (path: string) => boolean;
  readonly index: BaseIndex;
  /** Collects the ignored paths of all repositories. */
  readonly ignored: string[];
  /** Collects the paths in their indexes. */
  readonly tracked: Set<string>;
}

async function entriesOf(scope: Scope): Promise<BaseEntry[]> {
  const { root, prefix, listing, isExcluded, index } = scope;
  const dirty = new Set(listing.dirty);
  const entries: BaseEntry[] = [];
  const inner: string[] = [];
  for (const name of listing.ignored) scope.ignored.push(`${prefix}${name}`.replace(/\/$/, ""));
  for (const [name, { mode, oid }] of listing.staged) {
    const full = `${prefix}${name}`;
    if (isExcluded(full)) continue;
    scope.tracked.add(full);
    if (mode === "160000") inner.push(full);
    if (oid === undefined) dirty.add(name);
    else if (mode !== "160000" && !dirty.has(name)) entries.push({ path: full, mode, oid });
  }
  let seen = 0;
  for (const name of dirty) {
    const full = `${prefix}${name}`.replace(/\/$/, "");
    const staged = listing.staged.get(name);
    if (isExcluded(full) || staged?.mode === "160000") continue;
    const entry = entryAt(root, full, index, staged?.mode);
    // A trailing slash marks a repository; a directory that replaced a file is listed by its content.
    if (entry === "directory") inner.push(...(name.endsWith("/") ? [full] : []));
    else if (entry !== undefined) entries.push(entry);
    if (++seen % yieldEvery === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const full of new Set(inner)) for (const entry of await innerRepository(scope, full)) entries.push(entry);
  return entries;
}

/** A submodule or clone inside the project. Without a checkout, it counts by the commit in the index. */
async function innerRepository(scope: Scope, full: string): Promise<readonly BaseEntry[]> {
  const { root, prefix, isExcluded, index } = scope;
  const directory = path.join(root, full);
  const found = discoverRepository(directory);
  if (found.kind === "found" && path.dirname(found.repository.entry) === realPlace(directory)) {
    const listing = await listRepository(directory);
    if (listing !== undefined) return entriesOf({ ...scope, prefix: `${full}/`, listing });
  }
  const oid = scope.listing.staged.get(full.slice(prefix.length))?.oid;
  const files = await walkFiles(root, full, isExcluded, index, scope.ignored);
  return oid === undefined ? files : [{ path: full, mode: "160000", oid }, ...files];
}

/** Lists the files of a directory with git. Undefined if no repository contains them, or git fails. Never rejects. */
export async function listRepository(directory: string): Promise<Listing | undefined> {
  const opened = await openRepository(directory);
  if (opened.kind !== "open") return undefined;
  const { repository } = opened;
  const listings = await runGitEach(
    [
      ["ls-files", "--stage", "-v", "-z"],
      ["ls-files", "--modified", "--deleted", "--others", "--exclude-standard", "-z"],
      ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"],
      ...(repository.refFormat === "files" ? [] : [["rev-parse", "--verify", "HEAD"]]),
    ],
    directory,
  );
  const [stage, rest, hidden, commit] = listings.ok ? listings.value : [];
  if (stage?.code !== 0 || rest?.code !== 0 || hidden?.code !== 0) return undefined;
  const head = commit?.code === 0 ? commit.stdout.toString().trim() : headCommit(repository);
  const { staged, unwatched } = stagedOf(stage.stdout);
  const isPresent = directoriesOf(directory);
  for (const name of unwatched) if (!isPresent(parentOf(name))) staged.delete(name);
  const differing = namesOf(rest.stdout);
  const converted = await convertedPaths(realPlace(directory) ?? directory, repository, allOf(staged.keys(), differing));
  const unknown = converted === "all" ? [...staged.keys()] : [...unwatched, ...converted].filter((name) => staged.has(name));
  return {
    ...defined({ head }),
    algorithm: repository.objectFormat,
    staged,
    dirty: [...differing, ...unknown],
    ignored: namesOf(hidden.stdout),
  };
}

/**
 * Why git does not list a directory's files although they are in a repository: the rest of a sentence, with a solution.
 * Undefined if git lists them or there is no repository. Never rejects.
 */
export async function gitRefusal(directory: string): Promise<string | undefined> {
  const opened = await openRepository(directory);
  if (opened.kind === "none") return undefined;
  if (opened.kind === "refused") return opened.why;
  if (opened.kind === "foreign")
    return `another user owns the repository: if you trust it, \`git config --global --add safe.directory ${opened.top}\``;
  const listed = await runGit(["ls-files", "-z"], directory);
  if (!listed.ok) return "git was not found: install it, or add it to PATH";
  const { code, stderr } = listed.value;
  return code === 0 ? undefined : `git reports: ${stderr.trim().split("\n")[0]}`;
}

function* allOf(...lists: readonly Iterable<string>[]): Generator<string> {
  for (const list of lists) yield* list;
}

/** Returns whether directories of a tree exist, with a cache. A sparse checkout omits whole directories with any number of files. */
function directoriesOf(root: string): (directory: string) => boolean {
  const known = new Map<string, boolean>([["", true]]);
  const isPresent = (directory: string): boolean => {
    const before = known.get(directory);
    if (before !== undefined) return before;
    const now = isPresent(parentOf(directory)) && existsSync(path.join(root, directory));
    known.set(directory, now);
    return now;
  };
  return isPresent;
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf("/")));
}

interface Staged {
  readonly staged: Map<string, { readonly mode: string; readonly oid: string | undefined }>;
  /** Paths that git was told not to check: "assume unchanged" and "skip worktree". */
  readonly unwatched: readonly string[];
}

/** Parses `<tag> <mode> <oid> <stage>\t<path>`. A path with conflicts has one line per stage. */
function stagedOf(output: Uint8Array): Staged {
  const staged = new Map<string, { mode: string; oid: string | undefined }>();
  const unwatched: string[] = [];
  for (const record of namesOf(output)) {
    const tab = record.indexOf("\t");
    const [tag = "", mode = "", oid, stage] = record.slice(0, tab).split(" ");
    const name = record.slice(tab + 1);
    staged.set(name, { mode, oid: stage === "0" ? oid : undefined });
    if (tag !== tag.toUpperCase() || tag === "S") unwatched.push(name);
  }
  return { staged, unwatched };
}
function namesOf(output: Uint8Array): string[] {
  return pathFromBytes(output)
    .split("\0")
    .filter((name) => name !== "");
}
