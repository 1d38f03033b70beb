/** Copies a project for an attempt: everything except state, with cheap and harmless repositories. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { walkTree } from "../platform/walk.ts";
import { hasEscapes } from "../text/path-bytes.ts";
import { parentsOf } from "./combine-changes.ts";
import { copyFailed, copyMetadata, copyNames, type DeniedPath } from "./copy-files.ts";
import { copyRepository } from "./copy-repository.ts";
import { below, lstatAt, namesIn } from "./disk.ts";

/** `directory` exists and is empty. `isExcluded` is called for files and directories. */
export interface CopyRequest {
  readonly root: string;
  readonly directory: string;
  readonly isExcluded: (path: string) => boolean;
}

/**
 * Copies with modes and times; content is shared if the file system supports it. Repositories borrow the original's
 * objects and have no hooks or credentials. Returns the unreadable paths that the copy lacks, sorted. Fails with
 * `workspace-failed`, and with `file-unreadable` if a file of a repository cannot be read.
 */
export async function copyTree(request: CopyRequest): Promise<Result<readonly DeniedPath[]>> {
  const denied: DeniedPath[] = [];
  try {
    const copied = await copyApart(request, await directoriesToSplit(request), "", denied);
    return copied.ok ? ok(denied.sort((a, b) => (a.path < b.path ? -1 : 1))) : copied;
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return copyFailed(code, detail);
  }
}

/**
 * The directories that cannot be copied as a whole because something in them is excluded or a repository, and those at the
 * top, so that copies can run concurrently. Installed packages are not searched: they contain no repositories of the
 * project.
 */
async function directoriesToSplit({ root, isExcluded }: CopyRequest): Promise<ReadonlySet<string>> {
  const found = new Set([""]);
  const isApart = (name: string, path: string) => name === ".git" || isExcluded(path);
  await walkTree(root, {
    visit({ kind, name, path, directory }) {
      if (isApart(name, path)) for (const parent of parentsOf(path)) found.add(parent);
      else if (kind === "directory" && directory === "" && !hasEscapes(name)) found.add(path);
    },
    enter: ({ name, path }) => name !== "node_modules" && !isApart(name, path) && !hasEscapes(name),
    onDenied: (_, error) => ignoreUnreadable(error),
  });
  return found;
}

async function copyApart(request: CopyRequest, apart: ReadonlySet<string>, directory: string, denied: DeniedPath[]): Promise<Result<void>> {
  const from = path.join(request.root, directory);
  const to = path.join(request.directory, directory);
  const all = readable(request.root, directory, denied);
  const names = all.filter((name) => !request.isExcluded(below(directory, name)));
  const isApart = (name: string) => name === ".git" || apart.has(below(directory, name));
  const closed: DeniedPath[] = [];
  const whole = copyNames(from, to, names.filter((name) => !isApart(name)), closed); // biome-ignore format: one thought
  const parts = names.filter(isApart).map(async (name): Promise<Result<void>> => {
    if (name === ".git") return copyRepository(request.root, from, to);
    mkdirSync(path.join(to, name));
    return copyApart(request, apart, below(directory, name), denied);
  });
  const copies = await Promise.all([whole, ...parts]);
  denied.push(...closed.map((one) => ({ ...one, path: below(directory, one.path) })));
  const copied = copies.find((one) => !one.ok) ?? ok(undefined);
  const stats = lstatAt(request.root, directory);
  if (copied.ok && stats !== undefined && directory !== "") copyMetadata(to, stats);
  return copied;
}

function readable(root: string, directory: string, denied: DeniedPath[]): readonly string[] {
  try {
    return namesIn(root, directory);
  } catch (error) {
    ignoreUnreadable(error);
    if (describeIoError(error).code !== "ENOENT") denied.push({ path: directory, isDirectory: true });
    return [];
  }
}

/** Ignores closed and removed directories: they contain nothing to exclude. Throws every other error. */
function ignoreUnreadable(error: unknown): void {
  if (!["EACCES", "EPERM", "ENOENT"].includes(describeIoError(error).code)) throw error;
}
