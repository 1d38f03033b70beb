/**
 * The directories of one attempt, beside the project's tree: inputs, output, task, home and temporary files. They lie below the
 * state directory; a fenced child sees them at places that say nothing of the machine.
 */
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import path from "node:path";
import { removeTree } from "../changeset/remove-tree.ts";
import type { Failure } from "../core/failure.ts";
import type { OpenWorkspace, WorkspacePaths } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import type { Bind } from "../sandbox/view.ts";

/** Where things lie on the machine. All absolute. */
export interface AttemptDirs {
  readonly directory: string;
  readonly inputs: string;
  readonly output: string;
  readonly task: string;
  readonly home: string;
  readonly temp: string;
}

/** Where a fenced child sees them. */
const sandboxedPaths = {
  inputs: "/wave/inputs",
  output: "/wave/output",
  taskFile: "/wave/task.md",
  home: "/wave/home",
  temp: "/tmp",
} as const;

/** The file that says that an attempt's directory is kept for people to look at. */
export const keptMarker = "kept";

/** The directory of an attempt. */
export function attemptDirectory(stateDir: string, run: string, step: string, attempt: number): string {
  return path.join(stateDir, "workspaces", run, `${step}.${attempt}`);
}

/** Where things lie in the directory of an attempt. */
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

/** What a child sees: the tree at `root`, the room's places where the fence puts them, or where they are. */
export function pathsOf(dirs: AttemptDirs, root: string, sandboxed: boolean): WorkspacePaths {
  if (sandboxed) return { root, ...sandboxedPaths };
  const { inputs, output, task, home, temp } = dirs;
  return { root, inputs, output, taskFile: task, home, temp };
}

/** The room's places as a view binds them. A contract's command reads what the attempt left, and writes elsewhere. */
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
 * Makes the room, without the task. What a run that died left under the same attempt is removed first: it must not be taken for
 * new work. Fails with `workspace-failed` where an input's name leads elsewhere, and rejects as the file system does.
 */
export async function createAttemptDirs(stateDir: string, request: OpenWorkspace): Promise<Result<AttemptDirs>> {
  const misnamed = request.inputs.find(({ name }) => name === "" || name === "." || name === ".." || /[/\\\0]/.test(name));
  if (misnamed !== undefined) return failed("EINVAL", `\`${misnamed.name}\` cannot be the name of a file`);
  const dirs = attemptDirs(attemptDirectory(stateDir, request.runId, request.step.id, request.attempt));
  const { directory } = dirs;
  if (existsSync(directory)) await removeTree(directory);
  mkdirSync(path.dirname(directory), { recursive: true });
  // Closed to other users: what is left in it may be private, and a program with the set-user-id bit is nobody's to start.
  mkdirSync(directory, { mode: 0o700 });
  for (const part of [dirs.inputs, dirs.output, dirs.home, dirs.temp]) mkdirSync(part);
  for (const { name, source } of request.inputs) {
    const target = path.join(dirs.inputs, name);
    // Never a hard link: what a child appends to its input must not reach the blob.
    await copyFile(source, target);
    chmodSync(target, 0o444);
  }
  return ok(dirs);
}

/** What the file system refused, as `workspace-failed` with the path. Anything else is a bug and is thrown on. */
export function refusedFile(error: unknown): Failure {
  const { code, detail } = describeIoError(error);
  const { path: file } = error as NodeJS.ErrnoException;
  return { reason: "workspace-failed", code, detail: file === undefined ? detail : `${file}: ${detail}` };
}

/** `workspace-failed`. */
export function failed(code: string, detail: string): Result<never, Failure> {
  return err({ reason: "workspace-failed", code, detail });
}
