/**
 * Lists the files of a project by git's index: tracked and untracked ones as they lie in the work tree, ignored ones not.
 * Clean files cost no read: their ids come from the index, and git itself knows which are clean. Repositories inside the
 * project (submodules, clones) are listed the same way. Nothing is written, not even a refreshed index.
 *
 * An id is that of a file's bytes on disk. Git's index only spares reading files: of those that a filter converts (LFS), and of those that git was
 * told not to look at, the bytes are read. Where git converts line endings, a clean file has the id that git stores: its bytes can differ in nothing else.
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
  /** HEAD's commit; nothing while there is none. */
  readonly head?: string;
  readonly entries: readonly BaseEntry[];
  readonly index: BaseIndex;
  /** Ignored paths, a directory as a whole where all of it is ignored. */
  readonly ignored: readonly string[];
  /** The paths that an index has. */
  readonly tracked: ReadonlySet<string>;
}

/** What git says of a directory. */
export interface Listing {
  readonly head?: string;
  readonly algorithm: "sha1" | "sha256";
  /** By path; paths with unmerged stages have no id. */
  readonly staged: ReadonlyMap<string, { readonly mode: string; readonly oid: string | undefined }>;
  /**
   * Paths that are not as the index says (modified, deleted, untracked), and those of which it does not say what is on disk. A trailing slash is a
   * repository of its own.
   */
  readonly dirty: readonly string[];
  /** Ignored paths; a trailing slash is a directory that is ignored as a whole. */
  readonly ignored: readonly string[];
}

const yieldEvery = 500;

/** The project's files, or nothing where git does not know them: no git, no repository, a directory that the repository ignores. */
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
  /** The repository's place in the project: empty, or with a slash at its end. */
  readonly prefix: string;
  readonly listing: Listing;
  readonly isExcluded: (path: string) => boolean;
  readonly index: BaseIndex;
  /** Collects ignored paths of all repositories. */
  readonly ignored: string[];
  /** Collects the paths that their indexes have. */
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
    // Only a repository has a slash; what is in a directory that took a file's place is listed by itself.
    if (entry === "directory") inner.push(...(name.endsWith("/") ? [full] : []));
    else if (entry !== undefined) entries.push(entry);
    if (++seen % yieldEvery === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const full of new Set(inner)) for (const entry of await innerRepository(scope, full)) entries.push(entry);
  return entries;
}

/** A submodule or a clone inside the project. One that is not checked out counts by the commit that the index names. */
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

/** The files of a directory as git lists them. Undefined if no repository has them, or git has no answer. Never rejects. */
export async function listRepository(directory: string): Promise<Listing | undefined> {
  const opened = await openRepository(directory);
  if (opened.kind !== "open") return undefined;
  const { repository } = opened;
  const asked = await runGitEach(
    [
      ["ls-files", "--stage", "-v", "-z"],
      ["ls-files", "--modified", "--deleted", "--others", "--exclude-standard", "-z"],
      ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"],
      ...(repository.refFormat === "files" ? [] : [["rev-parse", "--verify", "HEAD"]]),
    ],
    directory,
  );
  const [stage, rest, hidden, commit] = asked.ok ? asked.value : [];
  if (stage?.code !== 0 || rest?.code !== 0 || hidden?.code !== 0) return undefined;
  const head = commit?.code === 0 ? commit.stdout.toString().trim() : headCommit(repository);
  const { staged, unwatched } = stagedOf(stage.stdout);
  const isThere = directoriesOf(directory);
  for (const name of unwatched) if (!isThere(parentOf(name))) staged.delete(name);
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
 * Why git does not list a directory's files although they are in a repository, as the rest of a sentence, with a way out. Undefined
 * if it does, and if there is no repository. Never rejects.
 */
export async function gitRefusal(directory: string): Promise<string | undefined> {
  const opened = await openRepository(directory);
  if (opened.kind === "none") return undefined;
  if (opened.kind === "refused") return opened.why;
  if (opened.kind === "foreign")
    return `another user owns the repository: if you trust it, \`git config --global --add safe.directory ${opened.top}\``;
  const listed = await runGit(["ls-files", "-z"], directory);
  if (!listed.ok) return "git is not there: install it, or put it on PATH";
  const { code, stderr } = listed.value;
  return code === 0 ? undefined : `git reports: ${stderr.trim().split("\n")[0]}`;
}

function* allOf(...lists: readonly Iterable<string>[]): Generator<string> {
  for (const list of lists) yield* list;
}

/** Whether directories of a tree are there. A sparse checkout leaves out whole directories, however many files they had. */
function directoriesOf(root: string): (directory: string) => boolean {
  const known = new Map<string, boolean>([["", true]]);
  const isThere = (directory: string): boolean => {
    const before = known.get(directory);
    if (before !== undefined) return before;
    const now = isThere(parentOf(directory)) && existsSync(path.join(root, directory));
    known.set(directory, now);
    return now;
  };
  return isThere;
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf("/")));
}

interface Staged {
  readonly staged: Map<string, { readonly mode: string; readonly oid: string | undefined }>;
  /** Paths that git was told not to look at: "assume unchanged" and "skip worktree". */
  readonly unwatched: readonly string[];
}

/** `<tag> <mode> <oid> <stage>\t<path>`; a path in conflict is listed once for each stage. */
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
