/**
 * Copies a repository for an attempt. The copy is cheap, because it borrows objects from the original, and harmless: it
 * has no hooks or credentials, and nothing in it refers to the original's index or branches.
 */
import { mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { gitDirectoriesOf, readSmall } from "../platform/git-repository.ts";
import { isInside, relativeInside } from "../platform/paths.ts";
import { type EntryKind, kindOf } from "../platform/walk.ts";
import { copyNames } from "./copy-files.ts";
import { lstatAt, namesIn } from "./disk.ts";
import { gitConfigFiles, maskedGitConfig } from "./git-config.ts";

/** Borrowed, omitted, or copied separately. */
const notCopied = /^(?:objects|hooks|lfs|worktrees|modules|commondir|gitdir|gc\.pid|fsmonitor--daemon.*|.*\.lock)$/;
/** The files that each work tree of a repository has for itself. */
/** The longest file that names a work tree, in bytes. */
const pointerBytes = 64 * 1024;
const ownOfWorkTree = /^(?:HEAD|ORIG_HEAD|FETCH_HEAD|MERGE_.*|index|config\.worktree|sharedindex\..*)$/;

/**
 * Copies `from/.git` to `to/.git`. A link or file that refers to a copied directory by a relative path is copied
 * unchanged; any other (a work tree, a submodule, a separate git directory) becomes a repository of its own. `to` is
 * `from` moved from `root` to another path. Fails like copying files. Throws file system errors.
 */
export async function copyRepository(root: string, from: string, to: string): Promise<Result<void>> {
  const stats = lstatAt(from, ".git");
  if (stats === undefined) return ok(undefined);
  const entry = path.join(from, ".git");
  const [own, common = own] = gitDirectoriesOf(entry);
  if (own === undefined || common === undefined || staysInside(root, from, kindOf(stats))) return copyNames(from, to, [".git"]);
  return mergeRepository(own, common, path.join(to, ".git"));
}

/**
 * The names in a git directory that contain its work trees: `git worktree add` can create them there, mostly in bare
 * repositories.
 */
function workTreesIn(git: string): ReadonlySet<string> {
  const administrative = path.join(git, "worktrees");
  if (lstatAt(administrative, "")?.isDirectory() !== true) return new Set();
  const names = namesIn(administrative, "").flatMap((name) => {
    const directory = path.join(administrative, name);
    const entry = readSmall(path.join(directory, "gitdir"), pointerBytes)?.toString().trim();
    const place = entry === undefined ? undefined : relativeInside(git, path.resolve(directory, entry));
    return place === undefined ? [] : [place.split(path.sep)[0] ?? ""];
  });
  return new Set(names);
}

/**
 * Whether the target of a `.git` is copied too, and the copy refers to it. Administrative files of other work trees are
 * not copied.
 */
function staysInside(root: string, from: string, kind: EntryKind): boolean {
  const entry = path.join(from, ".git");
  const named =
    kind === "symlink" ? readlinkSync(entry) : kind === "file" ? /^gitdir: (.+?)\n?$/s.exec(readFileSync(entry, "utf8"))?.[1] : undefined;
  if (named === undefined || path.isAbsolute(named)) return false;
  const place = path.resolve(from, named);
  return isInside(root, place) && !path.relative(root, place).split(path.sep).includes("worktrees");
}

/** Merges a work tree's git directory and the one shared by all work trees into one repository. */
async function mergeRepository(own: string, common: string, target: string): Promise<Result<void>> {
  if (common !== own && lstatAt(own, "reftable") !== undefined) {
    const detail = "references of linked work trees in the reftable format cannot be copied: use the overlay provider, or a clone";
    return workspaceFailed("EREFTABLE", detail);
  }
  const shared = common === own ? notCopied : new RegExp(`${notCopied.source}|${ownOfWorkTree.source}`);
  const copied = await copyGitDirectory(common, target, shared);
  if (!copied.ok) return copied;
  if (common !== own) {
    // Both belong to the main work tree; a linked one has its own.
    for (const name of ["logs", "modules"]) rmSync(path.join(target, name), { recursive: true, force: true });
    const names = namesIn(own, "").filter((name) => !notCopied.test(name));
    const rest = await copyNames(own, target, names.filter((name) => name !== "refs")); // biome-ignore format: one thought
    if (!rest.ok) return rest;
    const modules = path.join(own, "modules");
    const ofWorkTree =
      lstatAt(modules, "")?.isDirectory() === true ? await copyModules(modules, path.join(target, "modules")) : ok(undefined);
    if (!ofWorkTree.ok) return ofWorkTree;
  }
  // In a linked work tree git ignores `core.bare`; the copy is not a linked work tree.
  maskConfigs(target, common === own ? {} : { bare: false });
  return ok(undefined);
}

/**
 * Copies a git directory to `to`, for a view that shows it at the same path, with the administrative files of its work
 * trees. Fails and throws like `copyRepository`.
 */
export async function copyGitDirectories(from: string, to: string): Promise<Result<void>> {
  // A linked work tree's own directory, without the shared one.
  const copied = await copyGitDirectory(from, to, new RegExp(notCopied.source.replace("commondir|gitdir|", "")));
  if (!copied.ok) return copied;
  const trees = path.join(from, "worktrees");
  for (const name of lstatAt(trees, "")?.isDirectory() === true ? namesIn(trees, "") : []) {
    mkdirSync(path.join(to, "worktrees", name), { recursive: true });
    const names = namesIn(trees, name).filter((one) => !/^(?:objects|hooks|lfs|modules|.*\.lock)$/.test(one));
    const files = await copyNames(path.join(trees, name), path.join(to, "worktrees", name), names);
    if (!files.ok) return files;
    const modules = path.join(trees, name, "modules");
    if (lstatAt(modules, "")?.isDirectory() !== true) continue;
    const submodules = await copyModules(modules, path.join(to, "worktrees", name, "modules"));
    if (!submodules.ok) return submodules;
  }
  maskConfigs(to, { worktree: true });
  return ok(undefined);
}

async function copyGitDirectory(from: string, to: string, except: RegExp): Promise<Result<void>> {
  mkdirSync(to);
  const names = namesIn(from, "");
  const workTrees = workTreesIn(from);
  const copied = await copyNames(from, to, names.filter((name) => !except.test(name) && !workTrees.has(name))); // biome-ignore format: one thought
  if (!copied.ok) return copied;
  if (names.includes("objects")) borrowObjects(path.join(from, "objects"), path.join(to, "objects"));
  return names.includes("modules") ? copyModules(path.join(from, "modules"), path.join(to, "modules")) : ok(undefined);
}

/** The repositories of submodules are in directories that spell their paths. */
async function copyModules(from: string, to: string): Promise<Result<void>> {
  mkdirSync(to, { recursive: true });
  for (const name of namesIn(from, "")) {
    const source = path.join(from, name);
    if (lstatAt(source, "")?.isDirectory() !== true) continue;
    const isRepository = lstatAt(source, "HEAD") !== undefined && lstatAt(source, "objects") !== undefined;
    const copied = isRepository
      ? await copyGitDirectory(source, path.join(to, name), notCopied)
      : await copyModules(source, path.join(to, name));
    if (!copied.ok) return copied;
  }
  return ok(undefined);
}

function borrowObjects(from: string, to: string): void {
  mkdirSync(path.join(to, "info"), { recursive: true });
  mkdirSync(path.join(to, "pack"));
  // Git parses a line that starts with a quote as escaped.
  const line = /^["#]|[\n\\]/.test(from) ? `"${from.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"` : from;
  writeFileSync(path.join(to, "info", "alternates"), `${line}\n`);
}

/** Masks every configuration of a copy, and drops those that git cannot read. Drops the path of the work tree by default. */
function maskConfigs(repository: string, kept: { readonly worktree?: boolean; readonly bare?: boolean } = {}): void {
  for (const file of gitConfigFiles(repository)) {
    const place = path.join(repository, file);
    const masked = maskedGitConfig(place, { ...kept, worktree: kept.worktree === true || file.startsWith("modules/") });
    rmSync(place);
    if (masked.ok) writeFileSync(place, masked.value);
  }
}
