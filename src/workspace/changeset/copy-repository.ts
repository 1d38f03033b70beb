/**
 * Copies a repository for an attempt: cheap, because its objects are borrowed from the original, and harmless, because hooks and
 * credentials stay behind and nothing in the copy leads back to the original's index or branches.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ok, type Result } from "../../model/result.ts";
import { isInside } from "../../platform/paths.ts";
import { copyNames } from "./copy-files.ts";
import { kindOf, lookAt, namesIn } from "./disk.ts";
import { gitConfigFiles, maskedGitConfig } from "./git-config.ts";

/** Borrowed, left behind, or copied in a way of their own. */
const notCopied = /^(?:objects|hooks|lfs|worktrees|modules|commondir|gitdir|gc\.pid|fsmonitor--daemon.*|.*\.lock)$/;
/** Of a repository that has several work trees: what each of them has for itself. */
const ownOfWorkTree = /^(?:HEAD|ORIG_HEAD|FETCH_HEAD|MERGE_.*|index|config\.worktree|sharedindex\..*)$/;

/**
 * Copies `from/.git` to `to/.git`. A file that points to a repository inside `root` is copied as it is; where it points elsewhere (a
 * work tree, a submodule), the copy is a repository of its own. Fails as copying files does. Throws the file system's errors.
 */
export async function copyRepository(root: string, from: string, to: string): Promise<Result<void>> {
  const stats = lookAt(from, ".git");
  const target = path.join(to, ".git");
  if (stats === undefined) return ok(undefined);
  if (kindOf(stats) === "directory") {
    const copied = await copyGitDirectory(path.join(from, ".git"), target, notCopied);
    if (copied.ok) maskConfigs(target);
    return copied;
  }
  const pointed = stats.isFile() ? /^gitdir: (.+?)\n?$/s.exec(readFileSync(path.join(from, ".git"), "utf8"))?.[1] : undefined;
  const own = pointed === undefined ? undefined : path.resolve(from, pointed);
  if (own === undefined || isInside(root, own) || lookAt(own, "")?.isDirectory() !== true) return copyNames(from, to, [".git"]);
  const common = lookAt(own, "commondir") === undefined ? own : path.resolve(own, readFileSync(path.join(own, "commondir"), "utf8").trim());
  const shared = common === own ? notCopied : new RegExp(`${notCopied.source}|${ownOfWorkTree.source}`);
  const copied = await copyGitDirectory(common, target, shared);
  if (!copied.ok) return copied;
  if (common !== own) {
    for (const name of ["logs"]) rmSync(path.join(target, name), { recursive: true, force: true });
    const names = namesIn(own, "").filter((name) => !notCopied.test(name));
    const rest = await copyNames(own, target, names.filter((name) => name !== "refs")); // biome-ignore format: one thought
    if (!rest.ok) return rest;
  }
  maskConfigs(target);
  return ok(undefined);
}

async function copyGitDirectory(from: string, to: string, except: RegExp): Promise<Result<void>> {
  mkdirSync(to);
  const names = namesIn(from, "");
  const copied = await copyNames(from, to, names.filter((name) => !except.test(name))); // biome-ignore format: one thought
  if (!copied.ok) return copied;
  if (names.includes("objects")) borrowObjects(path.join(from, "objects"), path.join(to, "objects"));
  return names.includes("modules") ? copyModules(path.join(from, "modules"), path.join(to, "modules")) : ok(undefined);
}

/** Submodules' repositories lie in directories that spell their paths. */
async function copyModules(from: string, to: string): Promise<Result<void>> {
  mkdirSync(to);
  for (const name of namesIn(from, "")) {
    const source = path.join(from, name);
    if (lookAt(source, "")?.isDirectory() !== true) continue;
    const isRepository = lookAt(source, "HEAD") !== undefined && lookAt(source, "objects") !== undefined;
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
  // Git reads a line that begins with a quote as one with escapes.
  const line = /^["#]|[\n\\]/.test(from) ? `"${from.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"` : from;
  writeFileSync(path.join(to, "info", "alternates"), `${line}\n`);
}

/** Where git cannot mask a configuration, there is none. */
function maskConfigs(repository: string): void {
  for (const file of gitConfigFiles(repository)) {
    const place = path.join(repository, file);
    const masked = maskedGitConfig(place, { worktree: file.startsWith("modules/") });
    rmSync(place);
    if (masked.ok) writeFileSync(place, masked.value);
  }
}
