/**
 * Finds the repository around a directory without starting git: by `.git` as a directory, symbolic link or file, for plain repositories,
 * linked work trees, submodules and separate git directories. Git's own search also accepts any directory with `HEAD`, `objects` and
 * `refs`; a commit or a step could create these ordinary names, so they do not count here. Reads only small regular files, never pipes
 * or devices.
 */

import { accessSync, closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync, type Stats, statSync } from "node:fs";
import path from "node:path";
import { defined } from "../core/defined.ts";
import { realPlace } from "./files.ts";
import { type GitSetting, gitBoolean, parseGitConfig } from "./git-config-text.ts";
import { isInside } from "./paths.ts";

/** A repository with a work tree. All paths are absolute and without symbolic links. */
export interface GitRepository {
  /** The work tree. */
  readonly top: string;
  /** The path of `.git` in the work tree: a directory, a symbolic link or a file. */
  readonly entry: string;
  /** Git's directory for this work tree: HEAD and the index. */
  readonly directory: string;
  /** Git's directory for all work trees: configuration, references and objects. Usually equal to `directory`. */
  readonly common: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly refFormat: "files" | "reftable";
  /** `core` settings that only affect how files are compared, by name. */
  readonly settings: Readonly<Record<string, boolean>>;
  /** `core.excludesFile` of the repository, as written. */
  readonly excludesFile?: string;
}

export type Discovery =
  | { readonly kind: "none" }
  /** Git would refuse the repository too, or use another work tree. `why` completes "git does not know the files, since …". */
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "found"; readonly repository: GitRepository /** False if another user owns a part of it. */; readonly isOwn: boolean };

/** The largest `.git`, `HEAD` and `commondir`, and the largest configuration that are read, in bytes. */
const pointerBytes = 64 * 1024;
const configBytes = 4 * 1024 * 1024;

/** The `core.*` settings that a shadow repository copies: harmless, and needed to compare files correctly. */
const harmless = ["filemode", "ignorecase", "precomposeunicode", "symlinks"];

/** Extensions of repository format 1 that do not affect reading an index or are supported here (gitrepository-layout(5)). */
const knownExtensions = new Set([
  "noop",
  "noop-v1",
  "preciousobjects",
  "partialclone",
  "worktreeconfig",
  "objectformat",
  "compatobjectformat",
  "refstorage",
  "relativeworktrees",
]);

/** Finds the repository around `directory`. Respects GIT_CEILING_DIRECTORIES and GIT_DISCOVERY_ACROSS_FILESYSTEM like git. */
export function findRepository(directory: string, env: Readonly<Record<string, string | undefined>> = process.env): Discovery {
  const start = realPlace(directory);
  if (start === undefined) return { kind: "none" };
  const ceilings = ceilingsOf(env["GIT_CEILING_DIRECTORIES"] ?? "");
  const crosses = gitBoolean(env["GIT_DISCOVERY_ACROSS_FILESYSTEM"] ?? "false") === true;
  const device = look(statSync, start)?.dev;
  for (let at = start; ; at = path.dirname(at)) {
    const found = repositoryAt(at, start);
    if (found !== undefined) return found;
    const above = path.dirname(at);
    if (above === at || ceilings.has(above)) return { kind: "none" };
    if (!crosses && look(statSync, above)?.dev !== device) return { kind: "none" };
  }
}

/** The repository whose `.git` is in `top`, seen from `start`. Undefined if the search must continue in the parent. */
function repositoryAt(top: string, start: string): Discovery | undefined {
  const entry = path.join(top, ".git");
  const stats = look(statSync, entry);
  if (stats?.isDirectory() === true) {
    const directory = realPlace(entry);
    return directory === undefined || !isGitDirectory(directory) ? undefined : repositoryIn({ top, entry, directory, start });
  }
  if (stats?.isFile() !== true) return undefined;
  const directory = namedBy(entry);
  if (directory === undefined || !isGitDirectory(directory)) return { kind: "refused", why: "its `.git` file does not name a repository" };
  return repositoryIn({ top, entry, directory, start });
}

/** The git directories of a `.git`: its own, and the one shared between work trees. Empty if there is none. */
export function gitDirectoriesOf(entry: string): readonly string[] {
  const stats = look(statSync, entry);
  const directory = stats?.isFile() === true ? namedBy(entry) : stats?.isDirectory() === true ? realPlace(entry) : undefined;
  const common = directory === undefined ? undefined : commonDirectory(directory);
  return [...new Set([directory, common].filter((one) => one !== undefined))];
}

/** Like `gitDirectoriesOf`, but empty if git would not accept the `.git` as a repository. */
export function repositoryDirectoriesOf(entry: string): readonly string[] {
  const [directory, ...common] = gitDirectoriesOf(entry);
  return directory === undefined || !isGitDirectory(directory) ? [] : [directory, ...common];
}

/** The paths from a `.git` to its directories, as written in its files: absolute, possibly through symbolic links. */
export function namedGitPaths(entry: string): readonly string[] {
  const named = nameIn(entry);
  const own = named === undefined ? entry : path.resolve(path.dirname(entry), named);
  const common = commonNameIn(own);
  return [entry, own, ...(common === undefined ? [] : [path.resolve(own, common)])];
}

/**
 * The first git directories that git would find from `directory` upwards, even if it refused their configuration: those of a work tree,
 * or a directory with HEAD, objects and references. Empty if there are none.
 */
export function nearestGitDirectories(directory: string): readonly string[] {
  const found = repositoryDirectoriesOf(path.join(directory, ".git"));
  if (found.length > 0) return found;
  if (isGitDirectory(directory)) return [directory];
  const above = path.dirname(directory);
  return above === directory ? [] : nearestGitDirectories(above);
}

/** The directory that a `.git` file names. Undefined if it does not exist. */
function namedBy(entry: string): string | undefined {
  const named = nameIn(entry);
  return named === undefined ? undefined : realPlace(path.resolve(path.dirname(entry), named));
}

function nameIn(entry: string): string | undefined {
  return /^gitdir: (.+?)[\r\n]*$/s.exec(readSmall(entry, pointerBytes)?.toString() ?? "")?.[1];
}

interface Place {
  readonly top: string;
  readonly entry: string;
  readonly directory: string;
  readonly start: string;
}

function repositoryIn({ top, entry, directory, start }: Place): Discovery {
  if (isInside(directory, start)) return { kind: "none" };
  const common = commonDirectory(directory);
  if (common === undefined) return { kind: "refused", why: "its `commondir` does not name a directory" };
  const config = settingsOf(path.join(common, "config"));
  if (config === undefined) return { kind: "refused", why: "its configuration cannot be read" };
  const format = formatOf(config);
  if (typeof format === "string") return { kind: "refused", why: format };
  const ownConfig = format.ownConfig ? settingsOf(path.join(directory, "config.worktree")) : [];
  if (ownConfig === undefined) return { kind: "refused", why: "its `config.worktree` cannot be read" };
  const odd = [path.join(directory, "index"), path.join(common, "objects/info/alternates")].find(
    (file) => (look(statSync, file)?.isFile() ?? true) === false,
  );
  // Git would block on a pipe.
  if (odd !== undefined) return { kind: "refused", why: `its \`${path.basename(odd)}\` is not a file` };
  // In a linked work tree, git ignores the shared configuration's settings for the main one.
  const ofWorkTree = common === directory ? [...config, ...ownConfig] : ownConfig;
  if (gitBoolean(lastOf(ofWorkTree, "core.bare") ?? "false") === true) return { kind: "none" };
  const workTree = lastOf(ofWorkTree, "core.worktree");
  const real = workTree === undefined ? top : realPlace(path.resolve(directory, workTree));
  if (real === undefined || !isInside(top, real) || !isInside(real, start)) {
    return { kind: "refused", why: "its `core.worktree` names another directory" };
  }
  const all = [...config, ...ownConfig];
  const excludesFile = lastOf(all, "core.excludesfile");
  const { objectFormat, refFormat } = format;
  const repository: GitRepository = {
    top: real,
    entry,
    directory,
    common,
    objectFormat,
    refFormat,
    settings: harmlessOf(all),
    ...defined({ excludesFile }),
  };
  return { kind: "found", repository, isOwn: [entry, real, directory].every(isOwn) };
}

/** Git's own check of a git directory: a plausible HEAD, objects and references. */
function isGitDirectory(directory: string): boolean {
  const common = commonDirectory(directory);
  return (
    common !== undefined && isHead(path.join(directory, "HEAD")) && ["objects", "refs"].every((name) => canEnter(path.join(common, name)))
  );
}

function isHead(file: string): boolean {
  if (look(lstatSync, file)?.isSymbolicLink() === true && readlinkSync(file).startsWith("refs/")) return true;
  return /^(?:ref:\s*refs\/|[0-9a-f]{40})/.test(readSmall(file, pointerBytes)?.toString() ?? "");
}

/** The directory shared between the work trees of a git directory. Undefined if its `commondir` names a missing directory. */
function commonDirectory(directory: string): string | undefined {
  const named = commonNameIn(directory);
  return named === undefined ? directory : realPlace(path.resolve(directory, named));
}

function commonNameIn(directory: string): string | undefined {
  return readSmall(path.join(directory, "commondir"), pointerBytes)
    ?.toString()
    .replace(/[\r\n]+$/, "");
}

/** The formats of a repository, or why it is not read. */
function formatOf(
  config: readonly GitSetting[],
): (Pick<GitRepository, "objectFormat" | "refFormat"> & { readonly ownConfig: boolean }) | string {
  const version = Number(lastOf(config, "core.repositoryformatversion") ?? "0");
  if (version !== 0 && version !== 1) return "its repository format is unknown";
  const ownConfig = gitBoolean(lastOf(config, "extensions.worktreeconfig") ?? "false") === true;
  if (version === 0) return { objectFormat: "sha1", refFormat: "files", ownConfig };
  const unknown = config.find(({ key }) => key.startsWith("extensions.") && !knownExtensions.has(key.slice("extensions.".length)));
  if (unknown !== undefined) return `its \`${unknown.key}\` is unknown`;
  const objectFormat = lastOf(config, "extensions.objectformat") ?? "sha1";
  // Newer versions of git may add the table's path: `reftable:///path`.
  const refFormat = lastOf(config, "extensions.refstorage") ?? "files";
  if (objectFormat !== "sha1" && objectFormat !== "sha256") return "its object format is unknown";
  if (refFormat !== "files" && refFormat !== "reftable") return "its reference format is unknown";
  return { objectFormat, refFormat, ownConfig };
}

function harmlessOf(config: readonly GitSetting[]): Readonly<Record<string, boolean>> {
  return Object.fromEntries(
    harmless.flatMap((name) => {
      const setting = config.findLast(({ key }) => key === `core.${name}`);
      const value = setting === undefined ? undefined : gitBoolean(setting.value);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** The last value of a setting; `true` for one without a value. */
function lastOf(config: readonly GitSetting[], key: string): string | undefined {
  const setting = config.findLast((one) => one.key === key);
  return setting === undefined ? undefined : (setting.value ?? "true");
}

/** The settings of a configuration file; empty without a file. Undefined if it cannot be read. */
function settingsOf(file: string): readonly GitSetting[] | undefined {
  if (look(lstatSync, file) === undefined) return [];
  const text = readSmall(file, configBytes)?.toString();
  return text === undefined ? undefined : parseGitConfig(text);
}

/** Reads a regular file. Undefined if it is missing, unreadable or larger than `limit` bytes. Never blocks on a pipe. */
export function readSmall(file: string | Buffer, limit: number): Buffer | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch {
    return undefined;
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile() || stats.size > limit) return undefined;
    const bytes = Buffer.alloc(stats.size);
    return bytes.subarray(0, readSync(descriptor, bytes));
  } catch {
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** The stats of a path; undefined if it does not exist or is not accessible. */
function look(stat: typeof statSync | typeof lstatSync, place: string): Stats | undefined {
  try {
    return stat(place, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function canEnter(directory: string): boolean {
  try {
    accessSync(directory, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether this user owns a path, by git's rule: under `sudo`, root also owns the calling user's paths. True on Windows. */
function isOwn(place: string): boolean {
  const user = process.geteuid?.();
  const owner = look(lstatSync, place)?.uid;
  if (user === undefined || owner === user) return true;
  return user === 0 && process.env["SUDO_UID"] !== undefined && owner === Number(process.env["SUDO_UID"]);
}

/** Directories at which the search stops. Links are resolved only in entries before an empty one, as git documents. */
function ceilingsOf(list: string): ReadonlySet<string> {
  const entries = list.split(path.delimiter);
  const plainFrom = entries.indexOf("");
  return new Set(
    entries.flatMap((entry, at) => {
      if (!path.isAbsolute(entry)) return [];
      return [plainFrom !== -1 && at > plainFrom ? path.resolve(entry) : (realPlace(entry) ?? path.resolve(entry))];
    }),
  );
}
