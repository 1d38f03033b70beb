/**
 * Finds out which isolation this machine supports, by running a child that does nothing in each mode. Probed once per
 * process. Changes nothing on the machine and removes the files it created.
 */

import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import path from "node:path";
import { removeTree } from "../changeset/remove-tree.ts";
import { defined } from "../core/defined.ts";
import type { SandboxSupport } from "../core/enforcement.ts";
import { capture } from "../platform/capture.ts";
import { quote } from "../text/shell-quote.ts";
import { setupPath } from "./carried-environment.ts";
import { notRedirecting, redirecting } from "./mount-lines.ts";
import { dropPrivilegesArgv, type Identity, type IsolationMode, idMapper, mapperPipes, procDescriptor, unshareArgv } from "./privileges.ts";
import { redirectReader } from "./redirect-reader.ts";
import { keyctlArgv } from "./session-keyring.ts";
import { type FilterKind, filterArgs } from "./socket-filter.ts";

export interface Isolation {
  readonly mode: IsolationMode;
  readonly sandbox: SandboxSupport;
  /** Trees are overlays; otherwise they are copied. */
  readonly overlay: boolean;
  /** Options for overlays, in the form of `mount -o`. */
  readonly overlayOptions: string;
  /** Whether directories of the project can be renamed in an overlay. Copies always allow it. */
  readonly directoryRenames: boolean;
  /** The command that brings up the loopback interface. */
  readonly loopback: readonly string[];
  readonly identity: Identity;
  /** A sandboxed child can have a user namespace of its own. */
  readonly ownUser: boolean;
  /** The user namespace of a sandboxed child of root maps every id of the machine, with capabilities for files of every owner. */
  readonly allIds: boolean;
  /** Why a sandboxed child of root cannot use a file of the project, as a sentence; undefined if it can use all files. */
  readonly unusable?: string;
  /** The argv prefix that leaves the session's keyring. Empty if there is no keyring, or no way to leave it. */
  readonly keyring: readonly string[];
  /**
   * The argv prefix that confines a child whose network is restricted, or that has no user namespace of its own. Empty if
   * this machine cannot install the filter.
   */
  readonly filter: readonly string[];
  /**
   * The argv prefix that denies a child with every id the keys of other users, which it could read by number. Empty if
   * this machine cannot install the filter.
   */
  readonly keyFilter: readonly string[];
  /** The user's home, which a sandboxed child does not see. */
  readonly home: string | undefined;
  /** The reasons why modes and features do not work here, one sentence each. */
  readonly refused: readonly string[];
}

export interface IsolationRequest {
  /** The project. Absolute. */
  readonly root: string;
  /** Where overlays are created. Absolute; it may not exist yet. */
  readonly stateDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** For a run without a step that needs isolation: nothing was probed. */
export const noIsolation: Isolation = {
  mode: "none",
  sandbox: { available: false, network: false },
  overlay: false,
  overlayOptions: "",
  directoryRenames: true,
  loopback: [],
  identity: { uid: 0, gid: 0 },
  ownUser: false,
  allIds: false,
  keyring: [],
  filter: [],
  keyFilter: [],
  home: undefined,
  refused: [],
};

const known = new Map<string, Promise<Isolation>>();

/**
 * Probes this machine. `WAVE_ISOLATION` restricts the result, for tests and debugging: to a mode, to `copy`, or to both
 * (`root,copy`). Never rejects.
 */
export function probeIsolation(request: IsolationRequest): Promise<Isolation> {
  const key = `${request.root}\0${request.stateDir}\0${request.env["WAVE_ISOLATION"] ?? ""}`;
  const before = known.get(key) ?? probe(request);
  known.set(key, before);
  return before;
}

async function probe(request: IsolationRequest): Promise<Isolation> {
  const { env } = request;
  const common = { ...noIsolation, home: env["HOME"] };
  if (process.platform !== "linux") return { ...common, refused: [`the sandbox does not support ${process.platform}`] };
  const identity = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const forced = (env["WAVE_ISOLATION"] ?? "").split(",").filter((arg) => arg !== "" && arg !== "copy");
  const modes = (identity.uid === 0 ? (["root"] as const) : (["user-namespace", "sudo"] as const)).filter(
    (mode) => forced.length === 0 || forced.includes(mode),
  );
  const refused: string[] = modes.length > 0 ? [] : [`WAVE_ISOLATION is ${env["WAVE_ISOLATION"]}`];
  for (const mode of modes) {
    const found = await tryMode(mode, request, identity);
    if (found.kind === "works") return { ...common, ...found.isolation, mode, identity, refused: [...refused, ...found.refused] };
    refused.push(found.why);
  }
  // As root the sandbox may still work here: it needs no user namespace there.
  return { ...common, identity, refused };
}

type Found =
  | {
      readonly kind: "works";
      readonly isolation: Omit<Isolation, "mode" | "identity" | "home" | "refused">;
      readonly refused: readonly string[];
    }
  | { readonly kind: "refused"; readonly why: string };

/** Tries the sandbox with a user namespace, a network and overlays, concurrently. */
async function tryMode(mode: Exclude<IsolationMode, "none">, request: IsolationRequest, identity: Identity): Promise<Found> {
  // With userxattr the kernel refuses redirects.
  const options =
    mode === "user-namespace" ? ["userxattr"] : redirectReader() === undefined ? [notRedirecting] : [redirecting, notRedirecting];
  const loopback = loopbackArgs();
  const [{ sandbox, ...user }, network, overlay] = await Promise.all([
    trySandbox(mode, identity),
    loopback === undefined
      ? "neither `ip` nor `perl` is installed to bring up loopback"
      : trial(mode, true, true, loopback.map(quote).join(" ")),
    tryOverlays(mode, request, identity, options),
  ]);
  if (sandbox !== undefined) return { kind: "refused", why: `${mode}: ${sandbox}` };
  // In this mode the child has its user's own id only through a second user namespace.
  if (mode === "user-namespace" && user.whyNoUser !== undefined) return { kind: "refused", why: `${mode}: ${user.whyNoUser}` };
  const { whyNoIds } = user;
  const foreign = whyNoIds === undefined ? undefined : await foreignFile(request, identity.uid);
  const [filter, keyFilter] = [filterArgsHere("sockets"), filterArgsHere("keys")];
  const refused = [
    ...(network === undefined ? [] : [`steps cannot get a network of their own: ${network}`]),
    ...(overlay.why === undefined ? renameLimit(overlay) : [`overlays do not work: ${overlay.why}`]),
    ...(whyNoIds === undefined ? [] : [`steps of root have no rights to files of other owners: ${whyNoIds}`]),
    ...(filter.length > 0 ? [] : ["steps can reach the host of a virtual machine by AF_VSOCK: there is no `perl` to install the filter"]),
    ...(mode !== "root" || whyNoIds !== undefined || keyFilter.length > 0
      ? []
      : ["steps of root can read kernel keys of other users: there is no `perl` to install the filter"]),
  ];
  return {
    kind: "works",
    isolation: {
      sandbox: { available: true, network: network === undefined, ...(mode === "root" ? { allOwners: whyNoIds === undefined } : {}) },
      overlay: overlay.why === undefined,
      overlayOptions: overlay.options,
      directoryRenames: overlay.why !== undefined || overlay.options === redirecting,
      loopback: loopback ?? [],
      ownUser: user.whyNoUser === undefined,
      allIds: mode === "root" && whyNoIds === undefined,
      ...(foreign === undefined
        ? {}
        : { unusable: `${foreign}, and steps of root have no rights to such files in the sandbox: ${whyNoIds}` }),
      keyring: keyctlArgv(),
      filter,
      keyFilter,
    },
    refused,
  };
}

/** Why the sandbox, the child's user namespace, or the mapping of all ids is not available; undefined if it is. */
interface WhyNot {
  readonly sandbox?: string;
  readonly whyNoUser?: string;
  readonly whyNoIds?: string;
}

const sandboxScript = "mount -n -t tmpfs wave /sys && mkdir /sys/r && mount -n --bind /usr /sys/r && mount -n -t proc proc /proc || exit 1";

/** Root tries everything with one child, and each part alone if that fails. */
async function trySandbox(mode: Exclude<IsolationMode, "none">, identity: Identity): Promise<WhyNot> {
  const args = { mode, identity, closed: true, ownUser: true, keyring: [], filter: [] };
  const userOf = (allIds: boolean) => [...dropPrivilegesArgv({ ...args, allIds }), "true"].map(quote).join(" ");
  const isFindMissing = programNamed("find") === undefined;
  const withIds = [sandboxScript, mapperPipes("/sys", "exit 1"), `exec ${procDescriptor}</proc`, idMapper, userOf(true)].join("\n");
  const why = mode !== "root" ? undefined : isFindMissing ? "`find` is not installed" : await trial(mode, true, false, withIds);
  if (mode === "root" && why === undefined) return {};
  const [sandbox, user] = await Promise.all([trial(mode, true, false, sandboxScript), trial(mode, true, false, userOf(false))]);
  return {
    ...defined({ sandbox, whyNoUser: user }),
    ...(why === undefined ? {} : { whyNoIds: user ?? why }),
  };
}

function unwanted({ env }: IsolationRequest): string | undefined {
  return env["WAVE_ISOLATION"]?.split(",").includes("copy") === true ? `WAVE_ISOLATION is ${env["WAVE_ISOLATION"]}` : undefined;
}

/**
 * Describes the first file of the project, outside the state directory, that belongs to another owner (or another group,
 * if `gid` is given), or why the owners are unknown. Undefined if there is no such file.
 */
async function foreignFile({ root, stateDir }: IsolationRequest, uid: number, gid?: number): Promise<string | undefined> {
  const isForeign = ["(", "!", "-user", String(uid), ...(gid === undefined ? [] : ["-o", "!", "-group", String(gid)]), ")"];
  const command = ["find", "-P", ".", "-path", `./${path.relative(root, stateDir)}`, "-prune", "-o", ...isForeign, "-print0", "-quit"];
  const ran = await capture({ command, env: { PATH: setupPath, LC_ALL: "C" }, cwd: root, limitMs: ownersLimitMs });
  if (!ran.ok) return ran.error.code === "ENOENT" ? `\`${ran.error.command}\` is not installed` : ran.error.detail;
  // Unreadable directories make `find` fail, but the attempt cannot read them either.
  const [found] = ran.value.stdout.toString().split("\0");
  if (ran.value.stdout.length > 0)
    return `\`${found === "." ? found : found?.slice(2)}\` does not belong to your user${gid === undefined ? "" : " and group"}`;
  return ran.value.code === undefined ? `checking the owners of the project's files took longer than ${ownersLimitMs / 1000} s` : undefined;
}

interface OverlayTrial {
  readonly options: string;
  /** Undefined if overlays work with these options. */
  readonly why: string | undefined;
}

/** Tries the sets of options in order. Returns the first that works, else the last. */
async function tryOverlays(
  mode: Exclude<IsolationMode, "none">,
  request: IsolationRequest,
  identity: Identity,
  [options = "", ...others]: readonly string[],
): Promise<OverlayTrial> {
  const unwantedHere = unwanted(request);
  if (unwantedHere !== undefined) return { options, why: unwantedHere };
  const [foreign, refused] = await Promise.all([
    // In a user namespace, an overlay cannot copy up a file whose owner or group is not mapped there.
    mode === "user-namespace" ? foreignFile(request, identity.uid, identity.gid) : undefined,
    tryOverlay(mode, request.stateDir, options),
  ]);
  const why = foreign ?? refused;
  return why === undefined || others.length === 0 ? { options, why } : tryOverlays(mode, request, identity, others);
}

function renameLimit({ options }: OverlayTrial): readonly string[] {
  return options === redirecting
    ? []
    : ["directories of the project cannot be renamed in an overlay (EXDEV); steps with `workspace: { provider: copy }` can"];
}

async function tryOverlay(mode: Exclude<IsolationMode, "none">, stateDir: string, options: string): Promise<string | undefined> {
  let place: string;
  try {
    mkdirSync(path.join(stateDir, "workspaces"), { recursive: true });
    place = mkdtempSync(path.join(stateDir, "workspaces", ".probe-"));
    for (const name of ["lower", "lower/d", "lower/e", "upper", "work"]) mkdirSync(path.join(place, name));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const reader = (redirectReader() ?? []).map(quote).join(" ");
  const script = [
    `cd ${quote(place)}`,
    `mount -n -t overlay -o lowerdir=lower,upperdir=upper,workdir=work,${options} overlay lower`,
    "rmdir lower/d && mkdir lower/d && echo x >lower/d/f",
    ...(options === redirecting ? [`mv lower/e lower/f && printf 'upper/f\\0' | ${reader} | grep -q upper/f`] : []),
    // With sudo the files belong to root, so the script itself removes them.
    "umount lower && rm -rf upper work",
  ].join(" && ");
  try {
    return await trial(mode, false, false, script);
  } finally {
    await removeTree(place);
  }
}

/** Undefined if the script succeeded in new namespaces; otherwise the reason. */
async function trial(mode: Exclude<IsolationMode, "none">, closed: boolean, network: boolean, script: string): Promise<string | undefined> {
  const command = [...unshareArgv({ mode, closed, network }), script];
  const ran = await capture({ command, env: { PATH: setupPath, LC_ALL: "C" }, cwd: "/", limitMs: trialLimitMs });
  if (!ran.ok) return ran.error.code === "ENOENT" ? `\`${ran.error.command}\` is not installed` : ran.error.detail;
  const { code, stderr } = ran.value;
  return code === 0 ? undefined : (stderr.trim().split("\n")[0] ?? "") || `exit status ${code}`;
}

/** A mode that takes longer to probe counts as not working, in milliseconds. */
const trialLimitMs = 5000;

/** For checking the owners of all files of a project, in milliseconds: copying them takes longer. */
const ownersLimitMs = 60_000;

const programDirectories = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

const programNamed = (name: string) => programDirectories.map((directory) => `${directory}/${name}`).find(existsSync);

function filterArgsHere(kind: FilterKind): readonly string[] {
  const perl = ["/usr/bin/perl", "/bin/perl"].find((place) => existsSync(place));
  return perl === undefined ? [] : (filterArgs(process.arch, perl, kind) ?? []);
}

/**
 * `ip` if it is installed; otherwise Perl, which every Debian has, sets the flag: SIOCSIFFLAGS (0x8914) with IFF_UP,
 * netdevice(7).
 */
function loopbackArgs(): readonly string[] | undefined {
  const ip = programNamed("ip");
  if (ip !== undefined) return [ip, "link", "set", "lo", "up"];
  const perl = programNamed("perl");
  const program = 'use Socket; socket(S,AF_INET,SOCK_DGRAM,0) && ioctl(S,0x8914,pack("a16s x14","lo",1)) or exit 1';
  return perl === undefined ? undefined : [perl, "-e", program];
}
