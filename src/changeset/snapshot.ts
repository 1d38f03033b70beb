/**
 * Records the stat data of every file of a directory at one moment, so that later changes are found without reading
 * contents: a change of content, mode or name changes the times, size or number of an inode, and no program can set its
 * ctime.
 */
import type { Stats } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { describeIoError } from "../platform/files.ts";
import { walkTree } from "../platform/walk.ts";
import { isGitName } from "../text/path-bytes.ts";
import { lstatAt } from "./disk.ts";

/** The recorded paths. The content of repositories is not included. */
export interface Snapshot {
  /** Path → stat data, for everything except directories. */
  readonly files: ReadonlyMap<string, string>;
  /** Path → stat data and names, for every directory; the root is `""`. */
  readonly directories: ReadonlyMap<string, { readonly facts: string; readonly names: readonly string[] }>;
}

/**
 * In milliseconds; longer than a tick of the clock for file times (10 ms at the coarsest kernel setting), so that later
 * changes are visible.
 */
const tickMs = 20;

/** Takes a snapshot of a directory that no process changes meanwhile. Fails with `workspace-failed` if it cannot be read. */
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
        // A closed directory is empty for the attempt too, which has the same rights.
        if (!["EACCES", "EPERM"].includes(describeIoError(error).code)) throw error;
      },
    });
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return workspaceFailed(code, `${directory}: ${detail}`);
  }
  await sleep(tickMs);
  return ok({ files, directories });
}

/** A text that differs between two states of an inode. */
export function factsOf(stats: Stats): string {
  return `${stats.ctimeMs} ${stats.mtimeMs} ${stats.size} ${stats.ino} ${stats.mode}`;
}
