/** Copies a project for an attempt: everything but state, with repositories made cheap and harmless. */
import { mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { parentsOf } from "../../model/combine-changes.ts";
import { err, ok, type Result } from "../../model/result.ts";
import { describeIoError } from "../../platform/files.ts";
import { copyNames, likeIt } from "./copy-files.ts";
import { copyRepository } from "./copy-repository.ts";
import { below, breather, lookAt, namesIn } from "./disk.ts";

/** What to copy where: `directory` is there and empty. `isLeftOut` is asked about files and directories. */
export interface CopyRequest {
  readonly root: string;
  readonly directory: string;
  readonly isLeftOut: (path: string) => boolean;
}

const yieldEvery = 1000;

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
  const breathe = breather(yieldEvery);
  const open = [""];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const child of childrenOf(path.join(root, directory))) {
      const place = below(directory, child.name);
      if (child.name === ".git" || isLeftOut(place)) for (const parent of parentsOf(place)) found.add(parent);
      else if (child.isDirectory()) {
        if (directory === "") found.add(place);
        if (child.name !== "node_modules") open.push(place);
      }
      await breathe();
    }
  }
  return found;
}

async function copyApart(request: CopyRequest, apart: ReadonlySet<string>, directory: string): Promise<Result<void>> {
  const from = path.join(request.root, directory);
  const to = path.join(request.directory, directory);
  // A directory that is closed to us is copied empty: it is closed to the attempt too.
  const all = childrenOf(from).length === 0 ? [] : namesIn(request.root, directory);
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

/** A directory that is closed to us has nothing to be left out. */
function childrenOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (["EACCES", "EPERM", "ENOENT"].includes(describeIoError(error).code)) return [];
    throw error;
  }
}
