/**
 * The facts of every file of a directory at one moment, so that what changed later is found without reading contents: a change of
 * content, mode or name changes times, size or number of an inode, and no program can set the time of its last change (ctime).
 */

import type { Stats } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failure } from "../../model/failure.ts";
import { isGitName } from "../../model/path-bytes.ts";
import { err, ok, type Result } from "../../model/result.ts";
import { describeIoError } from "../../platform/files.ts";
import { below, breather, lookAt, namesIn } from "./disk.ts";

/** What was where. Repositories' insides are not looked at. */
export interface Snapshot {
  /** Path → facts, of everything that is no directory. */
  readonly files: ReadonlyMap<string, string>;
  /** Path → facts and names, of every directory; the root is the empty path. */
  readonly directories: ReadonlyMap<string, { readonly facts: string; readonly names: readonly string[] }>;
}

/** Longer than a tick of the clock by which file systems stamp (10 ms at the coarsest kernel setting): later changes show. */
const tickMs = 20;
const yieldEvery = 2000;

/** Takes the facts of everything below a directory, which must be at rest. Fails with `workspace-failed` where it cannot be read. */
export async function takeSnapshot(directory: string): Promise<Result<Snapshot>> {
  const files = new Map<string, string>();
  const directories = new Map<string, { facts: string; names: readonly string[] }>();
  const breathe = breather(yieldEvery);
  const open = [""];
  try {
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      const stats = lookAt(directory, path);
      const names = stats === undefined ? [] : readable(directory, path);
      directories.set(path, { facts: stats === undefined ? "" : factsOf(stats), names });
      for (const name of names) {
        if (isGitName(name)) continue;
        const child = below(path, name);
        const found = lookAt(directory, child);
        if (found?.isDirectory() === true) open.push(child);
        else if (found !== undefined) files.set(child, factsOf(found));
        await breathe();
      }
    }
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

/** A directory that is closed to us is empty to the attempt too, which has the same rights. */
function readable(directory: string, path: string): string[] {
  try {
    return namesIn(directory, path);
  } catch (error) {
    if (["EACCES", "EPERM"].includes(describeIoError(error).code)) return [];
    throw error;
  }
}
