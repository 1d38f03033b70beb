/**
 * Reads and lists files of a workspace from outside, without following symlinks out of it. The directory above an area is
 * trusted, its contents are not.
 */
import { constants, lstatSync } from "node:fs";
import { open, readlink, realpath } from "node:fs/promises";
import path from "node:path";
import type { Failure } from "../core/failure.ts";
import type { WorkspaceEntry } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { isInside } from "../platform/paths.ts";
import { kindOf, walkTree } from "../platform/walk.ts";
import { globBase, namesGit, pathPattern } from "../text/glob.ts";

/** A directory to read from. `hidden`: the state directory below it, which is not part of the area; absolute. */
export interface Area {
  readonly directory: string;
  readonly hidden?: string;
}

/**
 * Reads a regular file of at most `limit` bytes. Fails with `artifact-refused` if the path, resolved or not, is outside
 * the area or not a regular file, with `artifact-too-large`, or with `file-unreadable`. The failures carry the path as the
 * artifact's name; callers that know the name replace it.
 */
export async function readFromArea(area: Area, file: string, limit: number): Promise<Result<Uint8Array>> {
  const target = path.resolve(area.directory, file);
  if (file.includes("\0")) return refusedArtifact(file, "it is not a path");
  if (!isInside(area.directory, target)) return refusedArtifact(file, "it is outside the workspace");
  try {
    const real = await realpath(target);
    if (!isInside(await realpath(area.directory), real)) return refusedArtifact(file, "it is outside the workspace, behind a symlink");
    if (area.hidden !== undefined && isInside(await realOrSame(area.hidden), real))
      return refusedArtifact(file, "it is in Wave's state directory");
    return await readRegular(real, file, limit);
  } catch (error) {
    const { code, detail } = describeIoError(error);
    // Sockets, and device nodes without a device.
    if (code === "ENXIO" || code === "ENODEV") return refusedArtifact(file, "it is not a regular file");
    if (code === "ELOOP") return refusedArtifact(file, "it is a symlink with a missing target");
    return err({ reason: "file-unreadable", path: file, code, detail });
  }
}

async function readRegular(real: string, file: string, limit: number): Promise<Result<Uint8Array>> {
  // Without O_NONBLOCK, opening a FIFO blocks until a writer opens it. Windows has neither flag.
  const handle = await open(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return refusedArtifact(file, "it is not a regular file");
    // A step in the same tree may have replaced a parent by a symlink since the path was resolved.
    const opened = process.platform === "linux" ? await readlink(`/proc/self/fd/${handle.fd}`) : real;
    if (opened !== real && opened !== `${real} (deleted)`) return refusedArtifact(file, "its path changed while it was opened");
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
 * Lists the paths that match a glob (see `pathPattern`), sorted. Symlinked directories are not entered, and `.git` only if
 * the glob spells it. A missing area or directory is empty; unreadable directories below the glob's base are skipped.
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
  if (glob.includes("\0") || base.split("/").includes("..")) return refusedArtifact(glob, "it is outside the workspace");
  const matches = pathPattern(glob);
  const entries: WorkspaceEntry[] = [];
  const add = (file: string) => {
    if (isHidden(area, file) || !matches(file)) return;
    const stats = lstatSync(path.join(area.directory, file));
    entries.push({ path: file, kind: kindOf(stats), size: stats.size });
  };
  try {
    if (isLiteral) add(base);
    else
      await walkTree(area.directory, {
        from: base,
        visit: (entry) => {
          try {
            add(entry.path);
          } catch (error) {
            ignoreUnreadable(error);
          }
        },
        enter: (entry) => (entry.name !== ".git" || namesGit(glob)) && !isHidden(area, entry.path),
        onDenied: (directory, error) => {
          if (directory === base) throw error;
          ignoreUnreadable(error);
        },
      });
  } catch (error) {
    const { code, detail } = describeIoError(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") return err({ reason: "file-unreadable", path: base, code, detail });
  }
  return ok(entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)));
}

/** Ignores entries that vanish during the walk or that Wave may not read. Throws every other error. */
function ignoreUnreadable(error: unknown): void {
  if (!["ENOENT", "ENOTDIR", "EACCES", "EPERM"].includes(describeIoError(error).code)) throw error;
}

/** Whether a path is in the part that the area excludes. */
export function isHidden(area: Area, file: string): boolean {
  return area.hidden !== undefined && isInside(area.hidden, path.join(area.directory, file));
}

async function realOrSame(file: string): Promise<string> {
  return realpath(file).catch(() => file);
}

/** The failure for a path whose content cannot be an artifact. */
export function refusedArtifact(file: string, detail: string): Result<never, Failure> {
  return err({ reason: "artifact-refused", artifact: file, path: file, detail });
}
