/**
 * Copies a project that is a subdirectory of a repository, for an attempt without a sandbox. The copy is below a private
 * repository at the same relative path, so that git finds neither the real one nor the files around the project, which
 * count as unchanged.
 */
import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import path from "node:path";
import { copyRepository } from "../changeset/copy-repository.ts";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { discoverRepository, runGitIn } from "../platform/git.ts";
import type { GitRepository } from "../platform/git-repository.ts";
import { layOutGitDirectory } from "../platform/git-shadow.ts";
import { relativeInside } from "../platform/paths.ts";
import { entriesIn } from "../platform/walk.ts";
import type { AttemptDirs } from "./attempt-dirs.ts";

/** The repository around `root`, and the path of `root` in it. Undefined unless `root` is in a subdirectory of a repository. */
export function repositoryAround(root: string): { readonly repository: GitRepository; readonly prefix: string } | undefined {
  const discovery = discoverRepository(root);
  if (discovery.kind !== "found") return undefined;
  const prefix = relativeInside(discovery.repository.top, root) ?? "";
  return prefix === "" ? undefined : { repository: discovery.repository, prefix };
}

/** The directory of the copy. Without a sandbox it has the same path in `tree` as the project in its repository. */
export function copiedRoot({ directory }: Pick<AttemptDirs, "directory">, root: string, sandboxed: boolean): string {
  return path.join(directory, "tree", sandboxed ? "" : (repositoryAround(root)?.prefix ?? ""));
}

/**
 * Copies the repository to `directory/.git`; of its work tree, only `prefix` exists. Fails like copying files, and with
 * `workspace-failed` if git cannot read the index. Throws file system errors.
 */
export async function copyAround(
  { repository, prefix }: { readonly repository: GitRepository; readonly prefix: string },
  directory: string,
): Promise<Result<void>> {
  const copied = await copyRepository(path.join(directory, "none"), path.dirname(repository.entry), directory);
  if (!copied.ok) return copied;
  const git = path.join(directory, ".git");
  if (!existsSync(path.join(git, "index"))) return ok(undefined);
  const scratch = path.join(directory, "..", "around-index");
  mkdirSync(scratch);
  layOutGitDirectory(scratch, repository);
  // A split index has several files.
  for (const { name } of entriesIn(git))
    if (/^(?:index|sharedindex\..*)$/.test(name)) copyFileSync(path.join(git, name), path.join(scratch, name));
  const listed = await runGitIn(scratch, ["ls-files", "--stage", "-z", "--", ".", `:(exclude,top,literal)${prefix}`]);
  if (!listed.ok) return listed;
  if (listed.value.code !== 0)
    return workspaceFailed("EGIT", `git cannot read the index of ${repository.top}: ${listed.value.stderr.trim()}`);
  const marked = await runGitIn(scratch, ["update-index", "-z", "--skip-worktree", "--stdin"], mergedNames(listed.value.stdout));
  if (!marked.ok) return marked;
  if (marked.value.code !== 0) return workspaceFailed("EGIT", `git cannot mark files of ${repository.top}: ${marked.value.stderr.trim()}`);
  for (const { name } of entriesIn(scratch))
    if (name.startsWith("sharedindex.")) renameSync(path.join(scratch, name), path.join(git, name));
  renameSync(path.join(scratch, "index"), path.join(git, "index"));
  return ok(undefined);
}

/** The names at stage 0 in the output of `ls-files --stage -z`, for `--stdin -z`: git cannot mark files with conflicts. */
function mergedNames(listed: Buffer): Buffer {
  const names = listed
    .toString("latin1")
    .split("\0")
    .flatMap((line) => /^[0-7]+ [0-9a-f]+ 0\t(.*)$/s.exec(line)?.[1] ?? []);
  return Buffer.from(names.map((name) => `${name}\0`).join(""), "latin1");
}
