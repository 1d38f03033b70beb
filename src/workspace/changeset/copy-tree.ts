/** Copies a project for an attempt: everything but state, with repositories made cheap and harmless. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { parentsOf } from "../../model/combine-changes.ts";
import { hasEscapes } from "../../model/path-bytes.ts";
import { err, ok, type Result } from "../../model/result.ts";
import { describeIoError } from "../../platform/files.ts";
import { walkTree } from "../../platform/walk.ts";
import { copyNames, likeIt } from "./copy-files.ts";
import { copyRepository } from "./copy-repository.ts";
import { below, lookAt, namesIn } from "./disk.ts";

/** What to copy where: `directory` is there and empty. `isLeftOut` is asked about files and directories. */
export interface CopyRequest {
  readonly root: string;
  readonly directory: string;
  readonly isLeftOut: (path: string) => boolean;
}

/**
 * Copies with modes and times; content is shared where the file system can. Repositories borrow the original's objects and have neither
 * hooks nor credentials. Fails with `workspace-failed`.
 */
export async function copyTree(request: CopyRequest): Promise<Result<void>> {
  try {
    return await copyApart(request, await divided(request), "");
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return err({ reason: "workspace-failed", code, detail: `the project cannot be copied: ${detail}` });
  }
}

/**
 * The directories that are not copied as a whole, because something below them is left out or is a repository; and those at the top, so
 * that several copies can share the work. Installed packages are not searched: there is nothing of ours in them.
 */
async function divided({ root, isLeftOut }: CopyRequest): Promise<ReadonlySet<string>> {
  const found = new Set([""]);
  const isApart = (name: string, path: string) => name === ".git" || isLeftOut(path);
  await walkTree(root, {
    visit({ kind, name, path, directory }) {
      if (isApart(name, path)) for (const parent of parentsOf(path)) found.add(parent);
      else if (kind === "directory" && directory === "" && !hasEscapes(name)) found.add(path);
    },
    enter: ({ name, path }) => name !== "node_modules" && !isApart(name, path) && !hasEscapes(name),
    onDenied: (_, error) => passOver(error),
  });
  return found;
}

async function copyApart(request: CopyRequest, apart: ReadonlySet<string>, directory: string): Promise<Result<void>> {
  const from = path.join(request.root, directory);
  const to = path.join(request.directory, directory);
  // A directory that is closed to us is copied empty: it is closed to the attempt too.
  const all = readable(request.root, directory);
  const names = all.filter((name) => !request.isLeftOut(below(directory, name)));
  const isApart = (name: string) => name === ".git" || apart.has(below(directory, name));
  const whole = copyNames(from, to, names.filter((name) => !isApart(name))); // biome-ignore format: one thought
  const parts = names.filter(isApart).map(async (name): Promise<Result<void>> => {
    if (name === ".git") return copyRepository(request.root, from, to);
    mkdirSync(path.join(to, name));
    return copyApart(request, apart, below(directory, name));
  });
  const copies = await Promise.all([whole, ...parts]);
  const copied = copies.find((one) => !one.ok) ?? ok(undefined);
  const stats = lookAt(request.root, directory);
  if (copied.ok && stats !== undefined && directory !== "") likeIt(to, stats);
  return copied;
}

function readable(root: string, directory: string): readonly string[] {
  try {
    return namesIn(root, directory);
  } catch (error) {
    passOver(error);
    return [];
  }
}

/** A directory that is closed to us, or was removed, has nothing to be left out. Throws every other error. */
function passOver(error: unknown): void {
  if (!["EACCES", "EPERM", "ENOENT"].includes(describeIoError(error).code)) throw error;
}
