/**
 * Isolated workspaces: each attempt has its own tree of the project and its own directories. Its child is sandboxed if
 * this machine supports it, unless the step sets `sandbox: off`. Directories of attempts whose process died are removed
 * when a run starts.
 */
import { existsSync, writeFileSync } from "node:fs";
import { parentsOf } from "../changeset/combine-changes.ts";
import { knownToGitCheck } from "../changeset/ignored-paths.ts";
import { includedFiles } from "../changeset/included-files.ts";
import { type ProjectStart, takeProjectStart } from "../changeset/project-start.ts";
import type { Changeset } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import { connectionDenial } from "../core/denial.ts";
import { isSandboxed, writesRepository } from "../core/enforcement.ts";
import { readFilter, viewKey } from "../core/permissions.ts";
import type { Step } from "../core/pipeline.ts";
import type { OpenWorkspace, SpawnRequest, Workspace, WorkspacePaths, WorkspaceProvider } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { describeIoError } from "../platform/files.ts";
import { leaveRepository } from "../platform/git.ts";
import { insideTest } from "../platform/paths.ts";
import { listArea, readFromArea } from "../sandbox/area-files.ts";
import { noLayers, openGitLayers } from "../sandbox/git-layers.ts";
import {
  type GitView,
  gitView,
  maskedPlaces,
  noGit,
  reachableGit,
  readableGit,
  replacedLink,
  repositoryFiles,
} from "../sandbox/git-view.ts";
import { hiddenChanges, hiddenPaths } from "../sandbox/hidden-paths.ts";
import { type GitEntry, gitEntriesIn } from "../sandbox/repositories-in.ts";
import { writeIntoArea } from "../sandbox/write-area.ts";
import { type AttemptDirs, createAttemptDirs, pathsOf, refusedFile } from "./attempt-dirs.ts";
import type { AttemptTree, TreeRequest, TreeSetting, WorkspaceSetting } from "./attempt-tree.ts";
import { markKept, removeAttemptDir, removeOrphans } from "./orphans.ts";
import { type SandboxedSpawn, spawnSandboxed } from "./spawn-sandboxed.ts";
import { copiedTree } from "./tree-copy.ts";
import { overlaidTree } from "./tree-overlay.ts";
import { projectTree } from "./tree-project.ts";
import { trustProject } from "./trust-project.ts";

/** State shared by the attempts of one provider, computed once. */
interface Shared {
  readonly setting: WorkspaceSetting & TreeSetting;
  /** Hidden paths of the project, by the key of the step's read permissions. */
  readonly hidden: Map<string, Promise<readonly string[]>>;
  git?: Promise<GitView>;
  /** Every `.git` in the project. */
  entries?: Promise<readonly GitEntry[]>;
  /** Git directories that steps without a sandbox can reach. */
  reachable?: Promise<GitView>;
  /** The project before the first attempt, or before the first one after an attempt in the project itself. */
  project?: Promise<ProjectStart>;
}

/** A provider whose recorded project start can be dropped, because the run itself has changed the project. */
export interface IsolatedProvider extends WorkspaceProvider {
  forgetStart(): void;
}

/** Workspaces for steps that require isolation. Opening fails with `workspace-failed`. */
export function isolatedProvider(setting: WorkspaceSetting): IsolatedProvider {
  const { root, stateDir, stateRoot = stateDir } = setting;
  const shared: Shared = {
    setting: { ...setting, isExcluded: insideTest(root, stateRoot), isKnownToGit: knownToGitCheck(root) },
    hidden: new Map(),
  };
  let cleaned: Promise<void> | undefined;
  return {
    name: setting.isolation.overlay ? "overlay" : "copy",
    forgetStart: () => void delete shared.project,
    async open(request) {
      cleaned ??= removeOrphans(setting.stateDir, request.runId);
      await cleaned;
      try {
        return await open(shared, request);
      } catch (error) {
        return err(refusedFile(error));
      }
    },
  };
}

async function open(shared: Shared, request: OpenWorkspace): Promise<Result<Workspace>> {
  const { setting } = shared;
  const { step, start = [] } = request;
  const dirs = await createAttemptDirs(setting.stateDir, request);
  if (!dirs.ok) return dirs;
  const projectStart = step.workspace === "shared" ? {} : await projectStartOf(shared, step, dirs.value);
  const reads = viewKey(step) === "all" ? undefined : readFilter(step.permissions);
  const hidden =
    reads === undefined ? [] : notBehindFiles([...(await hiddenOf(shared, step, reads)), ...hiddenChanges(start, reads)], start);
  const sandboxed = isSandboxed(step, setting.isolation.sandbox);
  if (writesRepository(step, setting.isolation.sandbox)) leaveRepository(setting.root);
  const isRepository = step.workspace === "shared" ? () => false : repositoryFiles(setting.root, await entriesOf(shared));
  const tree = await makeTree(setting, {
    step,
    dirs: dirs.value,
    start,
    hidden,
    sandboxed,
    isRepository,
    ...projectStart,
    ...(sandboxed ? { masked: async () => maskedPlaces(await gitOf(shared)) } : {}),
    ...defined({ reads }),
  });
  if (!tree.ok) return tree;
  const paths = pathsOf(dirs.value, sandboxed || tree.value.tree.kind === "overlay" ? setting.root : tree.value.place, sandboxed);
  writeFileSync(dirs.value.task, request.task(paths));
  trustProject(dirs.value.home, setting.root, sandboxed);
  // In the project itself every file can be read.
  const isShared = step.workspace === "shared";
  const git = await gitFor(shared, step, tree.value, sandboxed);
  const opened = isShared ? ok(noLayers) : await openGitLayers(setting.isolation, dirs.value.directory, git.layered);
  if (!opened.ok) return opened;
  const personaGit = reads === undefined || isShared || !sandboxed ? git : readableGit(git, setting.root, reads);
  const refused = new Set<string>();
  const spawn = spawnSandboxed({
    setting,
    step,
    dirs: dirs.value,
    tree: tree.value,
    paths,
    sandboxed,
    git,
    personaGit,
    layers: opened.value,
    onRefused: (subject) => refused.add(subject),
  });
  const denied = () => [...refused].map((subject) => connectionDenial(step.permissions, subject));
  const workspace = { ...workspaceOf(dirs.value, paths, tree.value, spawn), denied };
  return ok(isShared ? { ...workspace, changeset: async () => checkLinks(git) } : workspace);
}

/** The git view of an attempt. A copied tree contains copies of its repositories, except of one around the project. */
async function gitFor(shared: Shared, { workspace }: Step, tree: AttemptTree, sandboxed: boolean): Promise<GitView> {
  const { root } = shared.setting;
  if (!sandboxed) {
    if (workspace === "shared" || tree.tree.kind !== "overlay") return noGit;
    shared.reachable ??= reachableGit(root, () => entriesOf(shared));
    return shared.reachable;
  }
  const found = await gitOf(shared);
  return tree.binds === undefined || found.isAround ? found : noGit;
}

/** A step in the project itself has no changeset, but replaced `.git` links can be detected. */
function checkLinks(git: GitView): Result<undefined> {
  const replaced = replacedLink(git);
  if (replaced === undefined) return ok(undefined);
  return workspaceFailed("EGIT", `the step replaced \`${replaced}\`, a symbolic link that points to the project's repository`);
}

/** The paths that still exist after `start` is applied: not those below a new file or symlink. */
function notBehindFiles(paths: readonly string[], start: Changeset): readonly string[] {
  const entries = new Set(start.flatMap(({ path, after }) => (after !== undefined && "digest" in after ? [path] : [])));
  return entries.size === 0 ? paths : paths.filter((file) => !parentsOf(file).some((parent) => entries.has(parent)));
}

function makeTree(setting: TreeSetting, request: TreeRequest): Promise<Result<AttemptTree>> {
  if (request.step.workspace === "shared") return projectTree(setting);
  return setting.isolation.overlay && request.step.workspace !== "copy" ? overlaidTree(setting, request) : copiedTree(setting, request);
}

/** Runs `work` in an attempt's directory. Fails with `workspace-failed` if the directory was moved or removed meanwhile. */
async function whileThere<T>(dirs: AttemptDirs, work: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await work();
  } catch (error) {
    if (existsSync(dirs.directory)) throw error;
    const { code } = describeIoError(error);
    return workspaceFailed(code, `${dirs.directory} is gone: the project or the state directory was moved or removed while the step ran`);
  }
}

function workspaceOf(dirs: AttemptDirs, paths: WorkspacePaths, tree: AttemptTree, spawn: SandboxedSpawn): Workspace {
  return {
    paths,
    ...defined({ unreadable: tree.unreadable }),
    spawn: (request: SpawnRequest) => spawn(request),
    read: (area, file, limit) => (area === "root" ? tree.read(file, limit) : readFromArea({ directory: dirs[area] }, file, limit)),
    list: (area, glob) => (area === "root" ? tree.list(glob) : listArea({ directory: dirs[area] }, glob)),
    write: (area, entries) => (area === "root" ? tree.write(entries) : writeIntoArea({ directory: dirs[area] }, entries)),
    changeset: () => whileThere(dirs, () => tree.changeset()),
    async discard(outcome) {
      if (outcome === "passed") await removeAttemptDir(dirs.directory);
      else await markKept(dirs.directory);
    },
  };
}

async function projectStartOf(shared: Shared, step: Step, dirs: AttemptDirs): Promise<Pick<TreeRequest, "project" | "included">> {
  const { root, files, isExcluded } = shared.setting;
  if (files === undefined) return {};
  shared.project ??= takeProjectStart({ root, directory: dirs.directory, files });
  const project = await shared.project;
  return step.changesInclude.length === 0 ? { project } : { project, included: await includedFiles(root, step.changesInclude, isExcluded) };
}

function hiddenOf({ hidden, setting }: Shared, step: Step, reads: (path: string) => boolean): Promise<readonly string[]> {
  const key = viewKey(step);
  const known = hidden.get(key) ?? hiddenPaths(setting.root, reads, setting.isExcluded);
  hidden.set(key, known);
  return known;
}

function gitOf(shared: Shared): Promise<GitView> {
  shared.git ??= gitView(shared.setting.root, () => entriesOf(shared));
  return shared.git;
}

function entriesOf(shared: Shared): Promise<readonly GitEntry[]> {
  shared.entries ??= gitEntriesIn(shared.setting.root, shared.setting.isExcluded);
  return shared.entries;
}
