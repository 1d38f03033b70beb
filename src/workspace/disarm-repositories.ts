/**
 * Makes a directory that a step wrote to safe to inspect, because shell prompts, editors and people run git there. In
 * everything that git could accept as a repository, it reduces the configuration to harmless settings, renames hooks, and
 * disables pointers to repositories elsewhere. The step's originals stay next to them under names that git ignores.
 */
import { renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { below, grantOwnerAccess, lstatAt } from "../changeset/disk.ts";
import { maskedConfigText } from "../changeset/git-config.ts";
import { realPlace } from "../platform/files.ts";
import { gitDirectoriesOf, readSmall } from "../platform/git-repository.ts";
import { isInside } from "../platform/paths.ts";
import { type WalkedEntry, walkTree } from "../platform/walk.ts";
import { fsPath, hasEscapes, isGitName } from "../text/path-bytes.ts";

/** The suffix of renamed files. */
const aside = ".from-step";
const largestConfig = 4 * 1024 * 1024;
const largestPointer = 64 * 1024;

/** Names that make a directory a repository for git, or that git reads in one. Some file systems ignore case. */
const gitsOwn = /^(?:head|objects|refs|config|config\.worktree|hooks|commondir)$/i;

/**
 * Processes every directory below `directory`, which belongs to the attempt. Does not follow symlinks. Safe to repeat.
 * Throws file system errors; skips closed directories of other users.
 */
export async function disarmRepositories(directory: string): Promise<void> {
  const dirs = realPlace(directory);
  if (dirs === undefined) return;
  const found = new Map<string, WalkedEntry[]>();
  await walkTree(dirs, {
    enter: ({ path: place }) => {
      const stats = lstatAt(dirs, place);
      // Git can read known names in a directory that it may not list.
      if (stats !== undefined) grantOwnerAccess(dirs, place, stats, []);
      return true;
    },
    visit: (entry) => {
      if (!gitsOwn.test(entry.name) && !isGitName(entry.name)) return;
      const others = found.get(entry.directory);
      if (others === undefined) found.set(entry.directory, [entry]);
      else others.push(entry);
    },
    onDenied: (_place, error) => {
      if (error.code !== "EACCES" && error.code !== "EPERM") throw error;
    },
  });
  // Deepest first, so that renaming does not change the paths of entries still to process.
  for (const [place, entries] of [...found].reverse()) disarm(dirs, place, entries);
}

function disarm(dirs: string, place: string, entries: readonly WalkedEntry[]): void {
  for (const { name, kind, path: entry } of entries.filter((one) => isGitName(one.name))) {
    if (kind !== "directory" && !leadsInside(dirs, entry)) putAside(dirs, place, name);
  }
  const named = (wanted: string) => entries.find(({ name }) => name.toLowerCase() === wanted)?.name;
  if (named("head") === undefined && (named("objects") === undefined || named("refs") === undefined)) return;
  for (const name of [named("config"), named("config.worktree")]) if (name !== undefined) mask(dirs, place, name);
  const hooks = named("hooks");
  if (hooks !== undefined) putAside(dirs, place, hooks);
  const common = named("commondir");
  if (common !== undefined && !namesInside(dirs, place, common)) putAside(dirs, place, common);
}

/** Whether a `.git` file or link points to directories, and only to those below `dirs`, which are disarmed too. */
function leadsInside(dirs: string, entry: string): boolean {
  const directories = hasEscapes(entry) ? [] : gitDirectoriesOf(path.join(dirs, entry));
  return directories.length > 0 && directories.every((directory) => isInside(dirs, directory));
}

function namesInside(dirs: string, place: string, common: string): boolean {
  const named = readSmall(fsPath(dirs, below(place, common)), largestPointer)
    ?.toString()
    .trim();
  const directory = named === undefined || hasEscapes(place) ? undefined : realPlace(path.resolve(dirs, place, named));
  return directory !== undefined && isInside(dirs, directory);
}

/** An overlay's layer represents a removed file as a device, which git cannot read. */
function mask(dirs: string, place: string, name: string): void {
  const stats = lstatAt(dirs, below(place, name));
  if (stats === undefined || stats.isCharacterDevice()) return;
  const file = fsPath(dirs, below(place, name));
  const text = stats.isFile() ? readSmall(file, largestConfig)?.toString() : undefined;
  const masked = text === undefined ? "" : (maskedConfigText(text) ?? "");
  if (text === masked) return;
  putAside(dirs, place, name);
  writeFileSync(file, masked, { flag: "wx" });
}

function putAside(dirs: string, place: string, name: string): void {
  let free = `${name}${aside}`;
  for (let count = 2; lstatAt(dirs, below(place, free)) !== undefined; count++) free = `${name}${aside}.${count}`;
  renameSync(fsPath(dirs, below(place, name)), fsPath(dirs, below(place, free)));
}
