/**
 * The `shared` workspace without a sandbox: the project's own tree, in place. Inputs, output, task file and a private
 * TMPDIR are in the state directory, one set per attempt; HOME is the user's own. It isolates nothing, enforces no
 * permissions, and cannot distinguish an attempt's changes from others. The step can write to `.git`, so Wave runs no git
 * there afterwards.
 */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { copyFile, rm, rmdir, unlink } from "node:fs/promises";
import path from "node:path";
import { defined } from "../core/defined.ts";
import type { OpenWorkspace, SpawnRequest, Workspace, WorkspaceArea, WorkspacePaths, WorkspaceProvider } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { spawnChild } from "../platform/child-process.ts";
import { describeIoError } from "../platform/files.ts";
import { leaveRepository } from "../platform/git.ts";
import { type Area, listArea, readFromArea } from "../sandbox/area-files.ts";
import { childEnvironment } from "../sandbox/child-environment.ts";

/** The settings of the shared provider. `root` and `stateDir` are absolute. */
export interface SharedWorkspaces {
  readonly root: string;
  readonly stateDir: string;
  /** The project's state directory, which no workspace shows. Defaults to `stateDir`. */
  readonly stateRoot?: string;
  /** The environment of the Wave process, from which PATH, HOME and LANG are taken. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds between SIGTERM and SIGKILL. Defaults to 2000. */
  readonly graceMs?: number;
}

/** Whether this process has created the directory for attempts without inputs. */
interface Made {
  noInputs: boolean;
}

/**
 * Workspaces in the project itself. Opening fails with `workspace-failed` if directories cannot be created or inputs
 * cannot be copied.
 */
export function sharedProvider(setting: SharedWorkspaces): WorkspaceProvider {
  const made: Made = { noInputs: false };
  return { name: "shared", open: (request) => open(setting, made, request) };
}

/** The paths for a child that runs in place. */
export function pathsInPlace(
  { root, stateDir, env }: Pick<SharedWorkspaces, "root" | "stateDir" | "env">,
  { runId, step, attempt }: Pick<OpenWorkspace, "runId" | "step" | "attempt">,
  hasInputs: boolean,
): WorkspacePaths {
  const workspaces = path.join(stateDir, "workspaces");
  const directory = path.join(workspaces, runId, `${step.id}.${attempt}`);
  return {
    root,
    // Attempts without inputs share one empty directory: creating and removing one per attempt is a considerable part of
    // the cost of a small step.
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
  if (misnamed !== undefined) return workspaceFailed("EINVAL", `\`${misnamed.name}\` cannot be the name of a file`);
  try {
    await layOut(made, paths, request);
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return workspaceFailed(code, `${directory}: ${detail}`);
  }
  return ok(workspaceAt(setting, paths, request.inputs.length > 0));
}

/** Synchronous except for the copies: a few calls that cost less than a round trip to a thread. */
async function layOut(made: Made, paths: WorkspacePaths, request: OpenWorkspace): Promise<void> {
  const hasInputs = request.inputs.length > 0;
  // A dead process left the directories of this attempt. Their output must not count as new work.
  if (existsSync(paths.output)) await removeAll(paths, hasInputs);
  // Recursive because the run's directory disappears with the last isolated attempt in it. Not slower if it exists.
  mkdirSync(paths.output, { recursive: true });
  // Closed to other users, like the directories of isolated attempts.
  chmodSync(paths.output, 0o700);
  mkdirSync(paths.temp, { mode: 0o700 });
  if (hasInputs) mkdirSync(paths.inputs, { mode: 0o700 });
  else if (!made.noInputs) mkdirSync(paths.inputs, { recursive: true });
  made.noInputs ||= !hasInputs;
  writeFileSync(paths.taskFile, request.task(paths), { mode: 0o600 });
  for (const { name, source } of request.inputs) {
    const target = path.join(paths.inputs, name);
    // Never a hard link: a child that appends to its input must not change the blob.
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
 * Most small attempts leave nothing behind, so three calls suffice; whatever cannot be removed is left to the cleanup. The
 * calls are asynchronous because removing a directory waits for a journal sync on the same disk.
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
