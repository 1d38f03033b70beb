/**
 * What this machine lets wave do about isolation, found out by doing it: each way is tried with a child that does nothing. Asked once a
 * process. It changes nothing on the machine, and removes what it made.
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
  /** Options for overlays, as `mount -o` takes them. */
  readonly overlayOptions: string;
  /** Whether directories of the project can be renamed in an overlay. A copy always allows it. */
  readonly directoryRenames: boolean;
  /** The words that bring the loopback interface up. */
  readonly loopback: readonly string[];
  readonly identity: Identity;
  /** A fenced child can be given a user namespace of its own. */
  readonly ownUser: boolean;
  /** A fenced child of root has every id of the machine in its user namespace, and capabilities for files of every owner. */
  readonly allIds: boolean;
  /** Why a fenced child of root cannot use a file of the project, a sentence; undefined if it can use all of them. */
  readonly unusable?: string;
  /** The words that leave the session's keyring; none where there is nothing to leave, or no way. */
  readonly keyring: readonly string[];
  /**
   * The words that confine a child whose network is restricted, or that has no user namespace of its own. Empty if nothing here can install the
   * filter.
   */
  readonly filter: readonly string[];
  /** The words that keep a child with every id from keys of other users: they read them by number. Empty if nothing here can. */
  readonly keyFilter: readonly string[];
  /** The user's home, of which a fenced child sees nothing. */
  readonly home: string | undefined;
  /** What was tried and does not work here, a sentence each. */
  readonly refused: readonly string[];
}

export interface IsolationRequest {
  /** The project. Absolute. */
  readonly root: string;
  /** Overlays are to lie below it. Absolute; it need not be there. */
  readonly stateDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** An environment in which nothing was looked for, since no step asks for it. */
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

/** Finds out. `WAVE_ISOLATION` narrows the choice, for tests and for debugging: to a mode, to `copy`, or to both (`root,copy`). Never rejects. */
export function probeIsolation(request: IsolationRequest): Promise<Isolation> {
  const key = `${request.root}\0${request.stateDir}\0${request.env["WAVE_ISOLATION"] ?? ""}`;
  const before = known.get(key) ?? probe(request);
  known.set(key, before);
  return before;
}

async function probe(request: IsolationRequest): Promise<Isolation> {
  const { env } = request;
  const common = { ...noIsolation, home: env["HOME"] };
  if (process.platform !== "linux") return { ...common, refused: [`there is no sandbox for ${process.platform} yet`] };
  const identity = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const forced = (env["WAVE_ISOLATION"] ?? "").split(",").filter((arg) => arg !== "" && arg !== "copy");
  const ways = (identity.uid === 0 ? (["root"] as const) : (["user-namespace", "sudo"] as const)).filter(
    (mode) => forced.length === 0 || forced.includes(mode),
  );
  const refused: string[] = ways.length > 0 ? [] : [`WAVE_ISOLATION is ${env["WAVE_ISOLATION"]}`];
  for (const mode of ways) {
    const found = await tryMode(mode, request, identity);
    if (found.kind === "works") return { ...common, ...found.isolation, mode, identity, refused: [...refused, ...found.refused] };
    refused.push(found.why);
  }
  // Also an ordinary user may be allowed what was not tried: root's own way needs no user namespace.
  return { ...common, identity, refused };
}

type Found =
  | {
      readonly kind: "works";
      readonly isolation: Omit<Isolation, "mode" | "identity" | "home" | "refused">;
      readonly refused: readonly string[];
    }
  | { readonly kind: "refused"; readonly why: string };

/** Children at once: a fence with a user namespace, a network, and overlays. */
async function tryMode(mode: Exclude<IsolationMode, "none">, request: IsolationRequest, identity: Identity): Promise<Found> {
  // With userxattr the kernel refuses redirects.
  const options =
    mode === "user-namespace" ? ["userxattr"] : redirectReader() === undefined ? [notRedirecting] : [redirecting, notRedirecting];
  const loopback = loopbackArgs();
  const [{ sandbox, ...user }, network, overlay] = await Promise.all([
    tryFence(mode, identity),
    loopback === undefined
      ? "neither `ip` nor `perl` is there to bring loopback up"
      : trial(mode, true, true, loopback.map(quote).join(" ")),
    tryOverlays(mode, request, identity, options),
  ]);
  if (sandbox !== undefined) return { kind: "refused", why: `${mode}: ${sandbox}` };
  // There the child has its user's own id by nothing else.
  if (mode === "user-namespace" && user.whyNoUser !== undefined) return { kind: "refused", why: `${mode}: ${user.whyNoUser}` };
  const { whyNoIds } = user;
  const foreign = whyNoIds === undefined ? undefined : await foreignFile(request, identity.uid);
  const [filter, keyFilter] = [filterArgsHere("sockets"), filterArgsHere("keys")];
  const refused = [
    ...(network === undefined ? [] : [`no network of a child's own: ${network}`]),
    ...(overlay.why === undefined ? renameLimit(overlay) : [`no overlays: ${overlay.why}`]),
    ...(whyNoIds === undefined ? [] : [`no rights to files of other owners for steps of root: ${whyNoIds}`]),
    ...(filter.length > 0 ? [] : ["sockets to the host of a virtual machine stay possible: there is no `perl` to install a filter"]),
    ...(mode !== "root" || whyNoIds !== undefined || keyFilter.length > 0
      ? []
      : ["kernel keys of other users stay possible for steps of root: there is no `perl` to install a filter"]),
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
      ...(foreign === undefined ? {} : { unusable: `${foreign}, and the sandbox gives root no rights to such files here: ${whyNoIds}` }),
      keyring: keyctlArgv(),
      filter,
      keyFilter,
    },
    refused,
  };
}

/** Why the sandbox, the child's user namespace, or the mapping of other users' ids is not available; undefined if it is. */
interface WhyNot {
  readonly sandbox?: string;
  readonly whyNoUser?: string;
  readonly whyNoIds?: string;
}

const sandboxScript = "mount -n -t tmpfs wave /sys && mkdir /sys/r && mount -n --bind /usr /sys/r && mount -n -t proc proc /proc || exit 1";

/** Root tries everything with one child, and one by one if that fails. */
async function tryFence(mode: Exclude<IsolationMode, "none">, identity: Identity): Promise<WhyNot> {
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
 * A sentence on the first file of the project, the state directory aside, that has another owner, or another group where that counts;
 * or on why that is not known.
 */
async function foreignFile({ root, stateDir }: IsolationRequest, uid: number, gid?: number): Promise<string | undefined> {
  const isForeign = ["(", "!", "-user", String(uid), ...(gid === undefined ? [] : ["-o", "!", "-group", String(gid)]), ")"];
  const command = ["find", "-P", ".", "-path", `./${path.relative(root, stateDir)}`, "-prune", "-o", ...isForeign, "-print0", "-quit"];
  const ran = await capture({ command, env: { PATH: setupPath, LC_ALL: "C" }, cwd: root, limitMs: ownersLimitMs });
  if (!ran.ok) return ran.error.code === "ENOENT" ? `\`${ran.error.command}\` is not installed` : ran.error.detail;
  // Directories that cannot be read make `find` fail: the attempt cannot read them either.
  const [found] = ran.value.stdout.toString().split("\0");
  if (ran.value.stdout.length > 0)
    return `\`${found === "." ? found : found?.slice(2)}\` is not of your user${gid === undefined ? "" : " and group"}`;
  return ran.value.code === undefined ? `the owners of the project's files were not known after ${ownersLimitMs / 1000} s` : undefined;
}

interface OverlayTrial {
  readonly options: string;
  /** Undefined if overlays work with these options. */
  readonly why: string | undefined;
}

/** Tries one set of options after the other. Returns the first that works, else the last. */
async function tryOverlays(
  mode: Exclude<IsolationMode, "none">,
  request: IsolationRequest,
  identity: Identity,
  [options = "", ...others]: readonly string[],
): Promise<OverlayTrial> {
  const unwantedHere = unwanted(request);
  if (unwantedHere !== undefined) return { options, why: unwantedHere };
  const [foreign, refused] = await Promise.all([
    // In a user namespace an overlay cannot copy up a file whose owner or group is not mapped there.
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
    // What is written is root's where sudo is the way: it is removed by the same hands.
    "umount lower && rm -rf upper work",
  ].join(" && ");
  try {
    return await trial(mode, false, false, script);
  } finally {
    await removeTree(place);
  }
}

/** Nothing when the script ran to its end in new namespaces; else why not. */
async function trial(mode: Exclude<IsolationMode, "none">, closed: boolean, network: boolean, script: string): Promise<string | undefined> {
  const command = [...unshareArgv({ mode, closed, network }), script];
  const ran = await capture({ command, env: { PATH: setupPath, LC_ALL: "C" }, cwd: "/", limitMs: trialLimitMs });
  if (!ran.ok) return ran.error.code === "ENOENT" ? `\`${ran.error.command}\` is not installed` : ran.error.detail;
  const { code, stderr } = ran.value;
  return code === 0 ? undefined : (stderr.trim().split("\n")[0] ?? "") || `exit status ${code}`;
}

/** A way that takes longer to be tried is none, in milliseconds. */
const trialLimitMs = 5000;

/** For a look at the owners of all files of a project: copying them takes longer. */
const ownersLimitMs = 60_000;

const programDirectories = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

const programNamed = (name: string) => programDirectories.map((directory) => `${directory}/${name}`).find(existsSync);

function filterArgsHere(kind: FilterKind): readonly string[] {
  const perl = ["/usr/bin/perl", "/bin/perl"].find((place) => existsSync(place));
  return perl === undefined ? [] : (filterArgs(process.arch, perl, kind) ?? []);
}

/** `ip` where it is; else Perl, which every Debian has, sets the flag: SIOCSIFFLAGS (0x8914) with IFF_UP, netdevice(7). */
function loopbackArgs(): readonly string[] | undefined {
  const ip = programNamed("ip");
  if (ip !== undefined) return [ip, "link", "set", "lo", "up"];
  const perl = programNamed("perl");
  const program = 'use Socket; socket(S,AF_INET,SOCK_DGRAM,0) && ioctl(S,0x8914,pack("a16s x14","lo",1)) or exit 1';
  return perl === undefined ? undefined : [perl, "-e", program];
}
