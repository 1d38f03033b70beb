/**
 * Makes a directory that a step wrote to safe for people who look into it: shells with a prompt, editors and people start git there. The
 * configuration of everything that git could take for a repository is reduced to harmless settings, hooks are put aside, and what leads to a
 * repository elsewhere leads nowhere. What the step wrote stays beside it, under a name that means nothing to git.
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

/** Added to the name of what is put aside. */
const aside = ".from-step";
const largestConfig = 4 * 1024 * 1024;
const largestPointer = 64 * 1024;

/** Names that make a directory a repository to git, or that it reads in one. Some file systems take names for equal that differ in case. */
const gitsOwn = /^(?:head|objects|refs|config|config\.worktree|hooks|commondir)$/i;

/**
 * Looks into every directory below `directory`, which is the attempt's own; symbolic links are not followed. Safe to repeat. Throws the file
 * system's errors; directories of other users that are closed to this one are passed over.
 */
export async function disarmRepositories(directory: string): Promise<void> {
  const dirs = realPlace(directory);
  if (dirs === undefined) return;
  const found = new Map<string, WalkedEntry[]>();
  await walkTree(dirs, {
    enter: ({ path: place }) => {
      const stats = lstatAt(dirs, place);
      // Git needs no permission to list a directory whose files it knows by name.
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
  // The deepest first: what is put aside keeps the paths of what is around it.
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

/** Whether a `.git` file or link leads to directories, and only to those that are disarmed with it. */
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

/** A file that an overlay's layer removes is a device, which git cannot read. */
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
