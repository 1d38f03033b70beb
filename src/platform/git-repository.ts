/**
 * Finds the repository that a directory is in, without starting git: `.git` as a directory, a symbolic link or a file that names one,
 * for plain repositories, linked work trees, submodules and separate git directories. Git's own search also takes any directory
 * with `HEAD`, `objects` and `refs` for a repository; these are ordinary names that a commit or a step can leave, so they never count
 * here. Everything read is data: small regular files, never a pipe or a device.
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
  /** `.git` of the work tree as it is found there: a directory, a symbolic link or a file. */
  readonly entry: string;
  /** Git's files of this work tree: HEAD and the index. */
  readonly directory: string;
  /** Git's files of all work trees: configuration, references and objects. The same as `directory` for most repositories. */
  readonly common: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly refFormat: "files" | "reftable";
  /** Settings that change how files are compared and nothing else, by their names in `core`. */
  readonly settings: Readonly<Record<string, boolean>>;
  /** `core.excludesFile` of the repository, as written. */
  readonly excludesFile?: string;
}

export type Discovery =
  | { readonly kind: "none" }
  /** Git would refuse the repository too, or would use another work tree. `why` completes "git does not know the files, since …". */
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "found"; readonly repository: GitRepository /** False if another user owns a part of it. */; readonly isOwn: boolean };

/** The largest `.git`, `HEAD`, `commondir` and configuration that is read, in bytes. */
const pointerBytes = 64 * 1024;
const configBytes = 4 * 1024 * 1024;

/** `core.*` that a shadow repository takes over: harmless, and needed to compare files as the repository does. */
const harmless = ["filemode", "ignorecase", "precomposeunicode", "symlinks"];

/** Extensions of repository format 1 that change nothing for reading an index, and those that are read here (gitrepository-layout(5)). */
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

/** The repository around `directory`. The search obeys GIT_CEILING_DIRECTORIES and GIT_DISCOVERY_ACROSS_FILESYSTEM as git's does. */
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

/** The repository whose `.git` is directly in `top`, seen from `start`. Undefined if there is none, and the search goes on above. */
function repositoryAt(top: string, start: string): Discovery | undefined {
  const entry = path.join(top, ".git");
  const stats = look(statSync, entry);
  if (stats?.isDirectory() === true) {
    const directory = realPlace(entry);
    return directory === undefined || !isGitDirectory(directory) ? undefined : repositoryIn({ top, entry, directory, start });
  }
  if (stats?.isFile() !== true) return undefined;
  const directory = namedBy(entry);
  if (directory === undefined || !isGitDirectory(directory)) return { kind: "refused", why: "its `.git` file names no repository" };
  return repositoryIn({ top, entry, directory, start });
}

/** The git directories that a `.git` leads to: its own, and the one that it shares with other work trees. None if it leads to nothing. */
export function gitDirectoriesOf(entry: string): readonly string[] {
  const stats = look(statSync, entry);
  const directory = stats?.isFile() === true ? namedBy(entry) : stats?.isDirectory() === true ? realPlace(entry) : undefined;
  const common = directory === undefined ? undefined : commonDirectory(directory);
  return [...new Set([directory, common].filter((place) => place !== undefined))];
}

/** The same for a `.git` that git takes for a repository; none for any other. */
export function repositoryDirectoriesOf(entry: string): readonly string[] {
  const [directory, ...common] = gitDirectoriesOf(entry);
  return directory === undefined || !isGitDirectory(directory) ? [] : [directory, ...common];
}

/** The paths by which git gets from a `.git` to its directories, as they are written there: absolute, possibly through symbolic links. */
export function namedGitPaths(entry: string): readonly string[] {
  const named = nameIn(entry);
  const own = named === undefined ? entry : path.resolve(path.dirname(entry), named);
  const common = commonNameIn(own);
  return [entry, own, ...(common === undefined ? [] : [path.resolve(own, common)])];
}

/**
 * The git directories that git reaches first from `directory`, whether it accepts their configuration or not: those of a work tree, or a
 * directory with HEAD, objects and references. None if there are none up to the root of the file system.
 */
export function nearestGitDirectories(directory: string): readonly string[] {
  const found = repositoryDirectoriesOf(path.join(directory, ".git"));
  if (found.length > 0) return found;
  if (isGitDirectory(directory)) return [directory];
  const above = path.dirname(directory);
  return above === directory ? [] : nearestGitDirectories(above);
}

/** The directory that a `.git` file names. Undefined if that is not there. */
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
  if (common === undefined) return { kind: "refused", why: "its `commondir` names no directory" };
  const config = settingsOf(path.join(common, "config"));
  if (config === undefined) return { kind: "refused", why: "its configuration cannot be read" };
  const format = formatOf(config);
  if (typeof format === "string") return { kind: "refused", why: format };
  const ownConfig = format.ownConfig ? settingsOf(path.join(directory, "config.worktree")) : [];
  if (ownConfig === undefined) return { kind: "refused", why: "its `config.worktree` cannot be read" };
  const odd = [path.join(directory, "index"), path.join(common, "objects/info/alternates")].find(
    (file) => (look(statSync, file)?.isFile() ?? true) === false,
  );
  // Git would wait for a pipe.
  if (odd !== undefined) return { kind: "refused", why: `its \`${path.basename(odd)}\` is not a file` };
  // In a linked work tree git ignores what the shared configuration says of the main one.
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

/** What git's own check of a git directory asks for: a HEAD that could be one, objects and references. */
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

/** Where a git directory keeps what its work trees share. Undefined if the directory that it names is not there. */
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
  // Newer versions may add the place of the table: `reftable:///path`.
  const refFormat = lastOf(config, "extensions.refstorage") ?? "files";
  if (objectFormat !== "sha1" && objectFormat !== "sha256") return "its object format is unknown";
  if (refFormat !== "files" && refFormat !== "reftable") return "its format of references is unknown";
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

/** A configuration file's settings, none where there is no file. Undefined if it cannot be read. */
function settingsOf(file: string): readonly GitSetting[] | undefined {
  if (look(lstatSync, file) === undefined) return [];
  const text = readSmall(file, configBytes)?.toString();
  return text === undefined ? undefined : parseGitConfig(text);
}

/** A regular file's bytes. Undefined if there is none, it cannot be read, or it is larger than `limit`. Never waits for a pipe. */
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

/** Undefined if the path is not there, or cannot be looked at. */
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

/** Whether this user owns a path, by git's rule: root also owns what belongs to the user who called `sudo`. Windows has no such ids. */
function isOwn(place: string): boolean {
  const user = process.geteuid?.();
  const owner = look(lstatSync, place)?.uid;
  if (user === undefined || owner === user) return true;
  return user === 0 && process.env["SUDO_UID"] !== undefined && owner === Number(process.env["SUDO_UID"]);
}

/** Directories that the search does not enter from below. An empty entry ends the resolution of links, as git documents. */
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
