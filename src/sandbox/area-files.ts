/**
 * Looks into a workspace's areas from outside: reads files and lists what matches a glob, without being led elsewhere by
 * symlinks. It trusts the directory above an area, and nothing in it.
 */

import { constants, lstatSync } from "node:fs";
import { open, readlink, realpath } from "node:fs/promises";
import path from "node:path";
import { kindOf } from "../changeset/disk.ts";
import type { Failure } from "../core/failure.ts";
import type { WorkspaceEntry } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { isInside } from "../platform/paths.ts";
import { walkTree } from "../platform/walk.ts";
import { globBase, namesGit, pathPattern } from "../text/glob.ts";

/** A directory to look into. `hidden`: a directory below it that is no part of it (state); absolute. */
export interface Area {
  readonly directory: string;
  readonly hidden?: string;
}

/**
 * A regular file's bytes, at most `limit`. Fails with `artifact-refused` when the path leads out of the area (by itself or by a
 * symlink) or to no regular file, `artifact-too-large`, or `file-unreadable`. The failures carry the path as the artifact's
 * name; a caller that knows the name puts it in.
 */
export async function readFromArea(area: Area, file: string, limit: number): Promise<Result<Uint8Array>> {
  const target = path.resolve(area.directory, file);
  if (file.includes("\0")) return refused(file, "it is not a path");
  if (!isInside(area.directory, target)) return refused(file, "it leads out of the workspace");
  try {
    const real = await realpath(target);
    if (!isInside(await realpath(area.directory), real)) return refused(file, "it leads out of the workspace through a symlink");
    if (area.hidden !== undefined && isInside(await realOrSame(area.hidden), real)) return refused(file, "it lies in wave's state");
    return await readRegular(real, file, limit);
  } catch (error) {
    const { code, detail } = describeIoError(error);
    // Sockets, and devices that nothing stands behind.
    if (code === "ENXIO" || code === "ENODEV") return refused(file, "it is not a regular file");
    if (code === "ELOOP") return refused(file, "it is a symlink that leads nowhere");
    return err({ reason: "file-unreadable", path: file, code, detail });
  }
}

async function readRegular(real: string, file: string, limit: number): Promise<Result<Uint8Array>> {
  // Without O_NONBLOCK, opening a FIFO waits for a writer that may never come. Windows has neither flag.
  const handle = await open(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return refused(file, "it is not a regular file");
    // A step in the same tree may have put a symbolic link in the way since the path was resolved.
    const opened = process.platform === "linux" ? await readlink(`/proc/self/fd/${handle.fd}`) : real;
    if (opened !== real && opened !== `${real} (deleted)`) return refused(file, "its path changed while it was opened");
    if (stat.size > limit) return err({ reason: "artifact-too-large", artifact: file, size: stat.size, limit });
    const bytes = Buffer.allocUnsafe(stat.size);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return ok(bytes.subarray(0, length));
  } finally {
    await handle.close();
  }
}

/**
 * What matches a glob (as `pathPattern` reads it), sorted by path. Symlinked directories are not entered; `.git` only where the
 * glob spells it. An area or directory that is not there gives nothing; a directory that may not be read is passed over.
 */
export async function listArea(area: Area, glob: string): Promise<Result<readonly WorkspaceEntry[]>> {
  const base = globBase(glob);
  const isLiteral =
    base !== "" &&
    glob
      .split("/")
      .filter((segment) => segment !== "" && segment !== ".")
      .join("/") === base &&
    !glob.endsWith("/");
  if (glob.includes("\0") || base.split("/").includes("..")) return refused(glob, "it leads out of the workspace");
  const matches = pathPattern(glob);
  const found: WorkspaceEntry[] = [];
  const look = (file: string) => {
    if (isHidden(area, file) || !matches(file)) return;
    const stats = lstatSync(path.join(area.directory, file));
    found.push({ path: file, kind: kindOf(stats), size: stats.size });
  };
  try {
    if (isLiteral) look(base);
    else
      await walkTree(area.directory, {
        from: base,
        visit: (entry) => {
          try {
            look(entry.path);
          } catch (error) {
            passOver(error);
          }
        },
        enter: (entry) => (entry.name !== ".git" || namesGit(glob)) && !isHidden(area, entry.path),
        onDenied: (directory, error) => {
          if (directory === base) throw error;
          passOver(error);
        },
      });
  } catch (error) {
    const { code, detail } = describeIoError(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") return err({ reason: "file-unreadable", path: base, code, detail });
  }
  return ok(found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)));
}

/** A tree may change while it is walked, and parts of it may be closed to us. Throws every other error. */
function passOver(error: unknown): void {
  if (!["ENOENT", "ENOTDIR", "EACCES", "EPERM"].includes(describeIoError(error).code)) throw error;
}

/** Whether a path belongs to what is no part of an area. */
export function isHidden(area: Area, file: string): boolean {
  return area.hidden !== undefined && isInside(area.hidden, path.join(area.directory, file));
}

async function realOrSame(file: string): Promise<string> {
  return realpath(file).catch(() => file);
}

function refused(file: string, detail: string): Result<never, Failure> {
  return err({ reason: "artifact-refused", artifact: file, path: file, detail });
}
