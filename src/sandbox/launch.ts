/**
 * Runs a child in a view of the machine. Its outcome is that of any child; failures before the command starts are
 * `not-started`. An exit code of 128 plus a signal's number counts as killed by that signal, because the first process
 * inside cannot distinguish the two.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import type { SpawnOutcome } from "../core/ports.ts";
import { type ChildRequest, spawnChild } from "../platform/child-process.ts";
import { bridged } from "./bridge-args.ts";
import { carryEnvironment } from "./carried-environment.ts";
import { closedPlaces } from "./closed-places.ts";
import { type DiskLimit, withinDisk } from "./disk-watch.ts";
import type { Isolation } from "./isolation.ts";
import { dropPrivilegesArgv, mapsAllIds, unshareArgv } from "./privileges.ts";
import { filledPlaces, systemRoot } from "./system-root.ts";
import type { ToolPlaces } from "./tool-directories.ts";
import { toolStores } from "./tool-stores.ts";
import type { SandboxView } from "./view.ts";
import { closedScript, openScript, type ScriptSetting } from "./view-script.ts";

export interface Launch {
  readonly isolation: Isolation;
  readonly view: SandboxView;
  /** Its working directory is the view's project. */
  readonly child: Omit<ChildRequest, "cwd"> & { readonly diskLimit?: DiskLimit };
  /** A directory of this attempt for temporary files. Absolute. */
  readonly scratch: string;
}

let launches = 0;

/** Rejects with file system errors, and for bugs. */
export async function launchInView({ isolation, view, child, scratch }: Launch): Promise<SpawnOutcome> {
  const { diskLimit, ...request } = child;
  return withinDisk(diskLimit, request.signal, (signal) =>
    isPlain(view) ? spawnChild({ ...request, signal, cwd: view.project }) : spawnInside(isolation, view, { ...request, signal }, scratch),
  );
}

/** Starts the search that the first child of root waits for. */
export async function prepareLaunch(env: Readonly<Record<string, string | undefined>>, project: string): Promise<void> {
  await closedPlaces(filledPlaces({ searchPath: env["PATH"] ?? "", home: env["HOME"], project }), project);
}

/** Whether the view is the machine itself, so that no sandbox is needed. */
function isPlain({ sandbox, tree, project }: SandboxView): boolean {
  return sandbox === "open" && tree.kind === "directory" && tree.source === project;
}

async function spawnInside(
  isolation: Isolation,
  view: SandboxView,
  child: Omit<ChildRequest, "cwd">,
  scratch: string,
): Promise<SpawnOutcome> {
  const { mode } = isolation;
  if (mode === "none") return { kind: "not-started", code: "ENOSYS", detail: "this machine cannot create the view that the step needs" };
  const closed = view.sandbox === "closed";
  const status = path.join(scratch, `view.${process.pid}.${++launches}`);
  mkdirSync(scratch, { recursive: true });
  const network = closed && view.network.kind !== "host";
  const proxied =
    closed && view.network.kind === "proxy" ? bridged(view, view.network.socket, child) : { view, command: child.command, env: child.env };
  const { env, carried, unpack } = carryEnvironment(proxied.env);
  const { identity, keyring, allIds } = isolation;
  // Otherwise an ordinary user would stay root of the outer namespace.
  const ownUser = isolation.ownUser || mode === "user-namespace";
  const args = typeof proxied.command === "string" ? ["/bin/sh", "-c", proxied.command] : proxied.command;
  const mapsIds = mapsAllIds({ mode, closed, ownUser, allIds });
  const filter = network || !ownUser ? isolation.filter : mapsIds ? isolation.keyFilter : [];
  const setting: ScriptSetting = {
    command: args,
    drop: [...dropPrivilegesArgv({ mode, identity, closed, ownUser, allIds, keyring, filter }), ...unpack],
    ownUser,
    mapsIds,
    rootChild: !ownUser && identity.uid === 0,
    status,
    overlayOptions: isolation.overlayOptions,
    ...(network ? { loopback: isolation.loopback } : {}),
  };
  const places = placesOf(child.env, isolation, view);
  const covered = mapsIds ? await closedPlaces(filledPlaces(places), view.project) : [];
  const script = closed ? closedScript(proxied.view, systemRoot(places), { ...setting, covered }) : openScript(view, setting);
  const command = [...unshareArgv({ mode, closed, network, carried }), script, "wave", ...args];
  const outcome = await spawnChild({ ...child, command, env, cwd: "/" });
  const failure = readStatus(status);
  return failure ?? withSignal(outcome);
}

function placesOf(env: ChildRequest["env"], { home }: Isolation, { project, machine }: SandboxView): ToolPlaces {
  return { searchPath: env["PATH"] ?? "", home, project, stores: Object.values(toolStores(env)), etc: machine?.etc ?? [] };
}

/** The failure that the setup reported; undefined if the command was started. */
function readStatus(file: string): SpawnOutcome | undefined {
  try {
    const text = readFileSync(file, "utf8");
    rmSync(file, { force: true });
    if (text === "") return undefined;
    const [code = "EIO", ...detail] = text.split(" ");
    return { kind: "not-started", code, detail: detail.join(" ") };
  } catch {
    return undefined;
  }
}

function withSignal(outcome: SpawnOutcome): SpawnOutcome {
  if (outcome.kind !== "exited" || outcome.code <= 128) return outcome;
  const signal = Object.entries(constants.signals).find(([, number]) => number === outcome.code - 128);
  return signal === undefined ? outcome : { kind: "killed", signal: signal[0] };
}
