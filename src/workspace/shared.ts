/**
 * The `shared` workspace without a sandbox: the project's own tree, in place. Inputs, output, task file and a private TMPDIR are under the
 * state directory, one directory for each attempt; HOME is the user's own. It isolates nothing, enforces no permissions, and cannot
 * distinguish what an attempt changed from what others changed meanwhile. The step can write to `.git`, so Wave runs no git there afterwards.
 */

import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { copyFile, rm, rmdir, unlink } from "node:fs/promises";
import path from "node:path";
import { defined } from "../core/defined.ts";
import type { Failure } from "../core/failure.ts";
import type { OpenWorkspace, SpawnRequest, Workspace, WorkspaceArea, WorkspacePaths, WorkspaceProvider } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { spawnChild } from "../platform/child-process.ts";
import { describeIoError } from "../platform/files.ts";
import { leaveRepository } from "../platform/git.ts";
import { type Area, listArea, readFromArea } from "../sandbox/area-files.ts";
import { childEnvironment } from "../sandbox/child-environment.ts";

/** What the shared provider works on. `root` and `stateDir` are absolute. */
export interface SharedWorkspaces {
  readonly root: string;
  readonly stateDir: string;
  /** Where the project keeps state, which no workspace shows; absent: `stateDir`. */
  readonly stateRoot?: string;
  /** The environment of the wave process; PATH, HOME and LANG are taken from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds between SIGTERM and SIGKILL; 2000 by default. */
  readonly graceMs?: number;
}

/** Whether this process has made the directory that stands for no inputs. */
interface Made {
  noInputs: boolean;
}

/** Workspaces in the project itself. Opening fails with `workspace-failed` when directories cannot be made or inputs not copied. */
export function sharedProvider(setting: SharedWorkspaces): WorkspaceProvider {
  const made: Made = { noInputs: false };
  return { name: "shared", open: (request) => open(setting, made, request) };
}

/** What a child in place sees. */
export function pathsInPlace(
  { root, stateDir, env }: Pick<SharedWorkspaces, "root" | "stateDir" | "env">,
  { runId, step, attempt }: Pick<OpenWorkspace, "runId" | "step" | "attempt">,
  hasInputs: boolean,
): WorkspacePaths {
  const workspaces = path.join(stateDir, "workspaces");
  const directory = path.join(workspaces, runId, `${step.id}.${attempt}`);
  return {
    root,
    // Attempts without inputs share one empty directory: making and removing one for each is a good part of what a small step costs.
    inputs: hasInputs ? `${directory}.inputs` : path.join(workspaces, "no-inputs"),
    output: directory,
    taskFile: `${directory}.md`,
    home: env["HOME"] ?? env["USERPROFILE"] ?? `${directory}.tmp`,
    temp: `${directory}.tmp`,
  };
}

async function open(setting: SharedWorkspaces, made: Made, request: OpenWorkspace): Promise<Result<Workspace>> {
  leaveRepository(setting.root);
  const paths = pathsInPlace(setting, request, request.inputs.length > 0);
  const directory = paths.output;
  const misnamed = request.inputs.find(({ name }) => name === "" || name === "." || name === ".." || /[/\\\0]/.test(name));
  if (misnamed !== undefined) return failed("EINVAL", `\`${misnamed.name}\` cannot be the name of a file`);
  try {
    await layOut(made, paths, request);
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return failed(code, `${directory}: ${detail}`);
  }
  return ok(workspaceAt(setting, paths, request.inputs.length > 0));
}

/** Synchronous but for the copies: a handful of calls that cost less than the way to a thread and back. */
async function layOut(made: Made, paths: WorkspacePaths, request: OpenWorkspace): Promise<void> {
  const hasInputs = request.inputs.length > 0;
  // It is there: a run that died left this attempt's directories, whose output must not be taken for new work.
  if (existsSync(paths.output)) await removeAll(paths, hasInputs);
  // The run's directory goes with the last isolated attempt in it. Nothing slower than without `recursive` where it is there.
  mkdirSync(paths.output, { recursive: true });
  // Closed to other users, as the directories of attempts in workspaces of their own.
  chmodSync(paths.output, 0o700);
  mkdirSync(paths.temp, { mode: 0o700 });
  if (hasInputs) mkdirSync(paths.inputs, { mode: 0o700 });
  else if (!made.noInputs) mkdirSync(paths.inputs, { recursive: true });
  made.noInputs ||= !hasInputs;
  writeFileSync(paths.taskFile, request.task(paths), { mode: 0o600 });
  for (const { name, source } of request.inputs) {
    const target = path.join(paths.inputs, name);
    // Never a hard link: what a child appends to its input must not reach the blob.
    await copyFile(source, target);
    chmodSync(target, 0o444);
  }
}

function workspaceAt(setting: SharedWorkspaces, paths: WorkspacePaths, hasInputs: boolean): Workspace {
  const areas: Readonly<Record<WorkspaceArea, Area>> = {
    root: { directory: paths.root, hidden: setting.stateRoot ?? setting.stateDir },
    output: { directory: paths.output },
    temp: { directory: paths.temp },
    inputs: { directory: paths.inputs },
  };
  const base = childEnvironment(setting.env, paths);
  return {
    paths,
    spawn: ({ role: _role, network: _network, restore: _restore, env, stdin, ...request }: SpawnRequest) =>
      spawnChild({
        ...request,
        env: { ...base, ...env },
        cwd: paths.root,
        ...(stdin === "task" ? { stdinFile: paths.taskFile } : {}),
        ...defined({ graceMs: setting.graceMs }),
      }),
    read: (area, file, limit) => readFromArea(areas[area], file, limit),
    list: (area, glob) => listArea(areas[area], glob),
    write: async (area, entries) => (await import("../sandbox/write-area.ts")).writeIntoArea(areas[area], entries),
    changeset: async () => ok(undefined),
    discard: async (outcome) => {
      if (outcome === "passed") await remove(paths, hasInputs);
    },
  };
}

/**
 * Most small attempts leave nothing behind, and then three calls do; what cannot be removed is left for the cleanup. They go to a thread: removing a
 * directory waits for whoever syncs a journal on the same disk just then.
 */
async function remove(paths: WorkspacePaths, hasInputs: boolean): Promise<void> {
  try {
    await Promise.all([unlink(paths.taskFile), rmdir(paths.output), rmdir(paths.temp)]);
    if (hasInputs) await rm(paths.inputs, { recursive: true, force: true });
  } catch (error) {
    describeIoError(error);
    await removeAll(paths, hasInputs).catch(describeIoError);
  }
}

async function removeAll(paths: WorkspacePaths, hasInputs: boolean): Promise<void> {
  const own = [paths.taskFile, paths.output, paths.temp, ...(hasInputs ? [paths.inputs] : [])];
  await Promise.all(own.map((part) => rm(part, { recursive: true, force: true })));
}

function failed(code: string, detail: string): Result<never, Failure> {
  return err({ reason: "workspace-failed", code, detail });
}
