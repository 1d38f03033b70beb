/**
 * The directories of one attempt besides the project's tree: inputs, output, task, home and temporary files. They are in
 * the state directory; a sandboxed child sees them at paths that reveal nothing about the machine.
 */
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import path from "node:path";
import { removeTree } from "../changeset/remove-tree.ts";
import type { Failure } from "../core/failure.ts";
import type { OpenWorkspace, WorkspacePaths } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { describeIoError } from "../platform/files.ts";
import type { Bind } from "../sandbox/view.ts";

/** The paths on the machine. All absolute. */
export interface AttemptDirs {
  readonly directory: string;
  readonly inputs: string;
  readonly output: string;
  readonly task: string;
  readonly home: string;
  readonly temp: string;
}

/** The paths at which a sandboxed child sees them. */
const sandboxedPaths = {
  inputs: "/wave/inputs",
  output: "/wave/output",
  taskFile: "/wave/task.md",
  home: "/wave/home",
  temp: "/tmp",
} as const;

/** Name of the file that marks an attempt's directory as kept for inspection. */
export const keptMarker = "kept";

/** The directory of an attempt. */
export function attemptDirectory(stateDir: string, run: string, step: string, attempt: number): string {
  return path.join(stateDir, "workspaces", run, `${step}.${attempt}`);
}

/** The paths inside an attempt's directory. */
export function attemptDirs(directory: string): AttemptDirs {
  const inside = (name: string) => path.join(directory, name);
  return {
    directory,
    inputs: inside("inputs"),
    output: inside("output"),
    task: inside("task.md"),
    home: inside("home"),
    temp: inside("tmp"),
  };
}

/**
 * The paths that a child uses: the tree at `root`, and the attempt's directories where the sandbox shows them or where
 * they really are.
 */
export function pathsOf(dirs: AttemptDirs, root: string, sandboxed: boolean): WorkspacePaths {
  if (sandboxed) return { root, ...sandboxedPaths };
  const { inputs, output, task, home, temp } = dirs;
  return { root, inputs, output, taskFile: task, home, temp };
}

/** Binds for the attempt's directories. A contract's command reads the attempt's output and writes elsewhere. */
export function attemptBinds(dirs: AttemptDirs, paths: WorkspacePaths, outputWritable: boolean): readonly Bind[] {
  return [
    { source: dirs.inputs, target: paths.inputs, writable: false },
    { source: dirs.output, target: paths.output, writable: outputWritable },
    { source: dirs.task, target: paths.taskFile, writable: false, isFile: true },
    { source: dirs.home, target: paths.home, writable: true },
    { source: dirs.temp, target: paths.temp, writable: true },
  ];
}

/**
 * Creates the directories, without the task. First removes what a dead process left for the same attempt, so that it does
 * not count as new work. Fails with `workspace-failed` if an input's name is not a plain file name. Rejects with file
 * system errors.
 */
export async function createAttemptDirs(stateDir: string, request: OpenWorkspace): Promise<Result<AttemptDirs>> {
  const misnamed = request.inputs.find(({ name }) => name === "" || name === "." || name === ".." || /[/\\\0]/.test(name));
  if (misnamed !== undefined) return workspaceFailed("EINVAL", `\`${misnamed.name}\` cannot be the name of a file`);
  const dirs = attemptDirs(attemptDirectory(stateDir, request.runId, request.step.id, request.attempt));
  const { directory } = dirs;
  if (existsSync(directory)) await removeTree(directory);
  mkdirSync(path.dirname(directory), { recursive: true });
  // Closed to other users: the content may be private, and they must not run set-user-id programs in it.
  mkdirSync(directory, { mode: 0o700 });
  for (const part of [dirs.inputs, dirs.output, dirs.home, dirs.temp]) mkdirSync(part);
  for (const { name, source } of request.inputs) {
    const target = path.join(dirs.inputs, name);
    // Never a hard link: a child that appends to its input must not change the blob.
    await copyFile(source, target);
    chmodSync(target, 0o444);
  }
  return ok(dirs);
}

/** A file system error as `workspace-failed` with the path. Rethrows any other error, which is a bug. */
export function refusedFile(error: unknown): Failure {
  const { code, detail } = describeIoError(error);
  const { path: file } = error as NodeJS.ErrnoException;
  return { reason: "workspace-failed", code, detail: file === undefined ? detail : `${file}: ${detail}` };
}
