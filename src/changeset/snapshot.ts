/**
 * The facts of every file of a directory at one moment, so that what changed later is found without reading contents: a change of
 * content, mode or name changes times, size or number of an inode, and no program can set the time of its last change (ctime).
 */

import type { Stats } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { walkTree } from "../platform/walk.ts";
import { isGitName } from "../text/path-bytes.ts";
import { lstatAt } from "./disk.ts";

/** What was where. Repositories' insides are not looked at. */
export interface Snapshot {
  /** Path → facts, of everything that is no directory. */
  readonly files: ReadonlyMap<string, string>;
  /** Path → facts and names, of every directory; the root is the empty path. */
  readonly directories: ReadonlyMap<string, { readonly facts: string; readonly names: readonly string[] }>;
}

/** Longer than a tick of the clock by which file systems stamp (10 ms at the coarsest kernel setting): later changes show. */
const tickMs = 20;

/** Takes the facts of everything below a directory, which must be at rest. Fails with `workspace-failed` where it cannot be read. */
export async function takeSnapshot(directory: string): Promise<Result<Snapshot>> {
  const files = new Map<string, string>();
  const directories = new Map<string, { readonly facts: string; readonly names: string[] }>();
  const note = (path: string, stats: Stats | undefined) =>
    directories.set(path, { facts: stats === undefined ? "" : factsOf(stats), names: [] });
  try {
    note("", lstatAt(directory, ""));
    await walkTree(directory, {
      visit({ kind, name, path, directory: parent }) {
        directories.get(parent)?.names.push(name);
        if (isGitName(name)) return;
        const stats = lstatAt(directory, path);
        if (kind === "directory") note(path, stats);
        else if (stats !== undefined) files.set(path, factsOf(stats));
      },
      enter: ({ name }) => !isGitName(name),
      onDenied(_, error) {
        // A directory that is closed to us is empty to the attempt too, which has the same rights.
        if (!["EACCES", "EPERM"].includes(describeIoError(error).code)) throw error;
      },
    });
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return err({ reason: "workspace-failed", code, detail: `${directory}: ${detail}` } satisfies Failure);
  }
  await sleep(tickMs);
  return ok({ files, directories });
}

/** What tells one state of an inode from another. */
export function factsOf(stats: Stats): string {
  return `${stats.ctimeMs} ${stats.mtimeMs} ${stats.size} ${stats.ino} ${stats.mode}`;
}
