/**
 * Lists the files of a project by git's index: tracked and untracked ones as they lie in the work tree, ignored ones not.
 * Clean files cost no read: their ids come from the index, and git itself knows which are clean. Repositories inside the
 * project (submodules, clones) are listed the same way. Nothing is written, not even a refreshed index.
 *
 * Where a filter changes what git stores (line endings, LFS), a changed file's id is that of its bytes on disk, so that
 * committing it changes the base. That can cost reuse, never give wrong reuse.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { mayBeInRepository, runGit, runGitEach } from "../platform/git.ts";
import { type BaseEntry, type BaseIndex, entryAt, openBaseIndex } from "./base-index.ts";
import { walkFiles } from "./base-walk.ts";

export interface GitFiles {
  /** HEAD's commit; nothing while there is none. */
  readonly head?: string;
  readonly entries: readonly BaseEntry[];
  readonly index: BaseIndex;
}

/** What git says of a directory. */
export interface Listing {
  readonly head?: string;
  readonly algorithm: "sha1" | "sha256";
  /** By path; paths with unmerged stages have no id. */
  readonly staged: ReadonlyMap<string, { readonly mode: string; readonly oid: string | undefined }>;
  /** Paths that are not as the index says: modified, deleted, untracked. A trailing slash is a repository of its own. */
  readonly dirty: readonly string[];
}

const yieldEvery = 500;

/** The project's files, or nothing where git does not know them: no git, no repository, a directory that the repository ignores. */
export async function gitFiles(
  root: string,
  stateDir: string,
  listing: Listing | undefined,
  isLeftOut: (path: string) => boolean,
): Promise<GitFiles | undefined> {
  if (listing === undefined || listing.staged.size + listing.dirty.length === 0) return undefined;
  const index = openBaseIndex(stateDir, listing.algorithm);
  const entries = await entriesOf({ root, prefix: "", listing, isLeftOut, index });
  return { ...(listing.head === undefined ? {} : { head: listing.head }), entries, index };
}

interface Scope {
  readonly root: string;
  /** The repository's place in the project: empty, or with a slash at its end. */
  readonly prefix: string;
  readonly listing: Listing;
  readonly isLeftOut: (path: string) => boolean;
  readonly index: BaseIndex;
}

async function entriesOf(scope: Scope): Promise<BaseEntry[]> {
  const { root, prefix, listing, isLeftOut, index } = scope;
  const dirty = new Set(listing.dirty);
  const entries: BaseEntry[] = [];
  const inner: string[] = [];
  for (const [name, { mode, oid }] of listing.staged) {
    const full = `${prefix}${name}`;
    if (isLeftOut(full)) continue;
    if (mode === "160000") inner.push(full);
    if (oid === undefined) dirty.add(name);
    else if (mode !== "160000" && !dirty.has(name)) entries.push({ path: full, mode, oid });
  }
  let seen = 0;
  for (const name of dirty) {
    const full = `${prefix}${name}`.replace(/\/$/, "");
    const staged = listing.staged.get(name);
    if (isLeftOut(full) || staged?.mode === "160000") continue;
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
  const { root, prefix, isLeftOut, index } = scope;
  const directory = path.join(root, full);
  if (existsSync(path.join(directory, ".git"))) {
    const listing = await listRepository(directory);
    if (listing !== undefined) return entriesOf({ ...scope, prefix: `${full}/`, listing });
  }
  const oid = scope.listing.staged.get(full.slice(prefix.length))?.oid;
  const files = await walkFiles(root, full, isLeftOut, index);
  return oid === undefined ? files : [{ path: full, mode: "160000", oid }, ...files];
}

/** Asks git for a directory's files; nothing where git has no answer. Never rejects. */
export async function listRepository(directory: string): Promise<Listing | undefined> {
  if (!mayBeInRepository(directory)) return undefined;
  const asked = await runGitEach(
    [
      ["rev-parse", "--is-inside-work-tree", "--show-object-format", "HEAD"],
      ["ls-files", "--stage", "-z"],
      ["ls-files", "--modified", "--deleted", "--others", "--exclude-standard", "-z"],
    ],
    directory,
  );
  const [facts, stage, rest] = asked.ok ? asked.value : [];
  if (facts === undefined || stage?.code !== 0 || rest?.code !== 0) return undefined;
  // Without a commit rev-parse fails on HEAD, after it has answered the rest.
  const [inside, ...answers] = facts.stdout.toString().split("\n");
  if (inside !== "true") return undefined;
  const head = answers.find((answer) => /^[0-9a-f]{40,64}$/.test(answer));
  const algorithm = answers.includes("sha256") || head?.length === 64 ? "sha256" : "sha1";
  return {
    ...(head === undefined ? {} : { head }),
    algorithm,
    staged: stagedOf(stage.stdout.toString()),
    dirty: namesOf(rest.stdout.toString()),
  };
}

/**
 * Why git does not tell a directory's files although they lie in a repository, in a sentence's words with what would help; nothing where it would, and
 * where there is no repository. Never rejects.
 */
export async function gitRefusal(directory: string): Promise<string | undefined> {
  if (!mayBeInRepository(directory)) return undefined;
  const asked = await runGit(["rev-parse", "--is-inside-work-tree"], directory);
  if (!asked.ok) return "git is not there: install it, or put it on PATH";
  const { code, stderr } = asked.value;
  if (code === 0 || stderr.includes("not a git repository")) return undefined;
  const trusted = /safe\.directory (.+)/.exec(stderr)?.[1];
  if (trusted === undefined) return stderr.trim() === "" ? "it gives no answer" : `it says: ${stderr.trim().split("\n")[0]}`;
  return `another user owns the repository: if you trust it, \`git config --global --add safe.directory ${trusted}\``;
}

/** `<mode> <oid> <stage>\t<path>`; a path in conflict stands there once a stage. */
function stagedOf(output: string): Listing["staged"] {
  const staged = new Map<string, { mode: string; oid: string | undefined }>();
  for (const record of namesOf(output)) {
    const tab = record.indexOf("\t");
    const [mode = "", oid, stage] = record.slice(0, tab).split(" ");
    staged.set(record.slice(tab + 1), { mode, oid: stage === "0" ? oid : undefined });
  }
  return staged;
}

function namesOf(output: string): string[] {
  return output.split("\0").filter((name) => name !== "");
}
