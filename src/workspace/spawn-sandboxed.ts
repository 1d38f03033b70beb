/**
 * Starts children in an attempt's view: the persona with the step's permissions, or a contract's command with its own. A
 * contract's command reads the whole tree, writes to a temporary layer, has a new home that the persona could not prepare,
 * and reaches only the hosts it names.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { removeTree } from "../changeset/remove-tree.ts";
import { defined } from "../core/defined.ts";
import { unwritableSubtrees } from "../core/permissions.ts";
import type { Step } from "../core/pipeline.ts";
import type { SpawnOutcome, SpawnRequest, WorkspacePaths } from "../core/ports.ts";
import { nearestGitDirectories } from "../platform/git-repository.ts";
import { isInside } from "../platform/paths.ts";
import { childEnvironment } from "../sandbox/child-environment.ts";
import { type GitLayers, noLayers } from "../sandbox/git-layers.ts";
import { type GitView, gitBinds, gitVariables } from "../sandbox/git-view.ts";
import { launchInView } from "../sandbox/launch.ts";
import { type NetworkPolicy, policyOfContract, policyOfStep } from "../sandbox/network-policy.ts";
import { openNetworkProxy } from "../sandbox/network-proxy.ts";
import type { Bind, OverlayTree, SandboxView, Tree } from "../sandbox/view.ts";
import type { AttemptDirs } from "./attempt-dirs.ts";
import { attemptBinds, refusedFile } from "./attempt-dirs.ts";
import type { AttemptTree, TreeSetting, WorkspaceSetting } from "./attempt-tree.ts";
import { trustProject } from "./trust-project.ts";

/** The settings for the children of an attempt. */
export interface SandboxedSetting {
  readonly setting: WorkspaceSetting & TreeSetting;
  readonly step: Step;
  readonly dirs: AttemptDirs;
  readonly tree: AttemptTree;
  readonly paths: WorkspacePaths;
  readonly sandboxed: boolean;
  /** The git view of a contract's command. */
  readonly git: GitView;
  readonly personaGit: GitView;
  /** The attempt's git directories outside the tree. */
  readonly layers: GitLayers;
  /** Receives `host:port` of each connection that was refused to the persona. */
  onRefused(subject: string): void;
}

export type SandboxedSpawn = (request: SpawnRequest) => Promise<SpawnOutcome>;

/** Returns a function that starts children of one attempt. It rejects only for bugs: file system errors become `unprepared`. */
export function spawnSandboxed(sandboxed: SandboxedSetting): SandboxedSpawn {
  let contracts = 0;
  return async (request) => {
    try {
      return await (request.role === "adapter" ? startPersona(sandboxed, request) : startContract(sandboxed, request, ++contracts));
    } catch (error) {
      return { kind: "unprepared", failure: refusedFile(error) };
    }
  };
}

function startPersona(sandboxed: SandboxedSetting, request: SpawnRequest): Promise<SpawnOutcome> {
  const { step, dirs, tree, paths, setting } = sandboxed;
  const readOnly = unwritableSubtrees(step.permissions).map((file) => path.join(paths.root, file));
  const view = viewOf(
    { ...sandboxed, git: sandboxed.personaGit },
    { tree: tree.tree, layered: sandboxed.layers.layered, dirs, outputWritable: true, readOnly, scratch: dirs.directory },
  );
  const diskLimit = {
    directories: [tree.written.directory, ...sandboxed.layers.written, dirs.output, dirs.home, dirs.temp],
    bytes: step.resources.diskLimitBytes,
    before: tree.written.bytes,
  };
  const start = (network: SandboxView["network"]) =>
    launchInView({
      isolation: setting.isolation,
      view: { ...view, network },
      scratch: dirs.directory,
      child: { ...childOf({ ...sandboxed, git: sandboxed.personaGit }, dirs, request), diskLimit },
    });
  return withNetwork(sandboxed, dirs.directory, policyOfStep(step), start, sandboxed.onRefused);
}

async function startContract(sandboxed: SandboxedSetting, request: SpawnRequest, count: number): Promise<SpawnOutcome> {
  const { dirs, tree, setting } = sandboxed;
  const contract = await tree.forContract(request.restore);
  if (!contract.ok) return { kind: "unprepared", failure: contract.error };
  const own = path.join(dirs.directory, `contract.${count}`);
  const fresh = { ...dirs, home: path.join(own, "home"), temp: path.join(own, "tmp") };
  for (const directory of [own, fresh.home, fresh.temp]) mkdirSync(directory);
  trustProject(fresh.home, setting.root, sandboxed.sandboxed);
  const layered = sandboxed.layers.forContract(own);
  const view = viewOf(sandboxed, { tree: contract.value.tree, layered, dirs: fresh, outputWritable: false, readOnly: [], scratch: own });
  try {
    return await withNetwork(sandboxed, own, policyOfContract(request.network ?? []), (network) =>
      launchInView({ isolation: setting.isolation, view: { ...view, network }, scratch: own, child: childOf(sandboxed, fresh, request) }),
    );
  } finally {
    await contract.value.release();
    await removeTree(own);
  }
}

/** The differences between the views of one attempt. */
interface ViewParts {
  readonly tree: Tree;
  readonly layered: readonly OverlayTree[];
  readonly dirs: AttemptDirs;
  readonly outputWritable: boolean;
  readonly readOnly: readonly string[];
  /** A directory of the attempt for files that the view needs. */
  readonly scratch: string;
}

function viewOf({ sandboxed, git, layers, paths, setting, step, tree }: SandboxedSetting, parts: ViewParts): Omit<SandboxView, "network"> {
  const binds = attemptBinds(
    parts.dirs,
    { ...paths, ...(sandboxed ? {} : { home: parts.dirs.home, temp: parts.dirs.temp }) },
    parts.outputWritable,
  );
  // A persona that may not read the repository gets no layers over it. Without a sandbox the layers still protect the
  // repository.
  const isSeen = ({ target }: Bind) => !layers.binds.some(({ target: copy }) => copy === target);
  const own = sandboxed && git.layered.length === 0 ? noLayers : layers;
  const all = [...gitBinds(git, parts.dirs.directory).filter(isSeen), ...own.binds, ...(sandboxed ? (tree.binds ?? []) : []), ...binds];
  // State is not part of the tree, and an overlay's own layers must not be visible in it.
  const { masks, ...state } = withoutState(setting, parts.tree, sandboxed, all, parts.scratch);
  return {
    sandbox: sandboxed ? "closed" : "open",
    project: paths.root,
    tree: parts.tree,
    binds: all,
    layered: own === noLayers ? [] : parts.layered,
    machine: { links: sandboxed ? git.linksOnPath : [], ...defined({ etc: step.sandboxShow }) },
    ...state,
    masks: [...masks, ...(sandboxed ? git.masks : [])],
    readOnly: [...parts.readOnly, ...(step.workspace === "shared" ? git.guarded : [])],
  };
}

/** How to hide state. An overlay certainly shows a state directory inside the project. */
function withoutState(
  { root, stateDir, stateRoot = stateDir }: TreeSetting,
  tree: Tree,
  sandboxed: boolean,
  binds: SandboxView["binds"],
  scratch: string,
): Pick<SandboxView, "masks" | "hidden"> {
  if (tree.kind !== "overlay") return { masks: sandboxed ? [stateRoot] : [] };
  if (stateRoot === root || !isInside(root, stateRoot)) return { masks: [stateRoot] };
  const instead = path.join(scratch, "instead");
  mkdirSync(instead, { recursive: true });
  for (const { target, isFile } of binds) {
    if (target === stateRoot || !isInside(stateRoot, target)) continue;
    const place = path.join(instead, target.slice(stateRoot.length));
    mkdirSync(isFile === true ? path.dirname(place) : place, { recursive: true });
    if (isFile === true) writeFileSync(place, "");
  }
  return { masks: [], hidden: { place: stateRoot, instead } };
}

function childOf({ setting, paths, sandboxed, git, step, tree }: SandboxedSetting, dirs: AttemptDirs, request: SpawnRequest) {
  const { role: _role, network: _network, restore: _restore, stdin, env, ...rest } = request;
  // The copy is in the state directory: without a repository of its own, git must not find one around it.
  const isCopy =
    !sandboxed && step.workspace !== "shared" && tree.tree.kind === "directory" && nearestGitDirectories(dirs.directory).length > 0;
  const ceiling = isCopy ? { GIT_CEILING_DIRECTORIES: dirs.directory } : {};
  const places = sandboxed ? paths : { home: dirs.home, temp: dirs.temp };
  return {
    ...rest,
    env: { ...childEnvironment(setting.env, places), ...gitVariables(git), ...ceiling, ...env },
    ...(stdin === "task" ? { stdinFile: dirs.task } : {}),
    ...defined({ graceMs: setting.graceMs }),
  };
}

/**
 * Opens the proxy that a policy needs, runs the child, and closes the proxy. A child without a sandbox uses the machine's
 * network.
 */
async function withNetwork(
  { sandboxed, setting }: SandboxedSetting,
  directory: string,
  policy: NetworkPolicy,
  run: (network: SandboxView["network"]) => Promise<SpawnOutcome>,
  onRefused: (subject: string) => void = () => {},
): Promise<SpawnOutcome> {
  if (!sandboxed || !setting.isolation.sandbox.network || policy.kind === "open") return run({ kind: "host" });
  if (policy.kind === "closed") return run({ kind: "none" });
  const proxy = await openNetworkProxy({ socket: path.join(directory, "proxy.sock"), rules: policy });
  if (!proxy.ok) return { kind: "unprepared", failure: proxy.error };
  try {
    return await run({ kind: "proxy", socket: proxy.value.socket });
  } finally {
    await proxy.value.close();
    for (const subject of proxy.value.refused) onRefused(subject);
  }
}
