/** Builds the command lines that create namespaces and drop privileges, for each isolation mode. Pure. */
import { readOnlyBind } from "./mount-lines.ts";

/** `root`: Wave runs as root. `sudo`: root without a password. `user-namespace`: as an ordinary user. `none`: no sandbox is available. */
export type IsolationMode = "root" | "sudo" | "user-namespace" | "none";

/** The user and group that the child runs as. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

export interface NamespaceSetting {
  readonly mode: Exclude<IsolationMode, "none">;
  /** A PID namespace, `/proc` and shared memory of its own. */
  readonly closed: boolean;
  /** A network namespace of its own. */
  readonly network: boolean;
  /** Variables to preserve where `sudo` would drop them. */
  readonly carried?: readonly string[];
  /** The command ends by itself soon, so it need not be killed when Wave ends. */
  readonly brief?: boolean;
}

/** The argv prefix for a script that runs as root of new namespaces and dies with Wave. `sudo` does not pass the death signal on. */
export function unshareArgv({ mode, closed, network, carried = [], brief = false }: NamespaceSetting): readonly string[] {
  const own = [
    ...(mode === "user-namespace" ? ["--user", "--map-root-user"] : []),
    "--mount",
    ...["--propagation", "private"],
    ...(closed ? ["--pid", "--fork", "--kill-child=KILL", "--ipc", "--uts"] : []),
    ...(network ? ["--net"] : []),
  ];
  const unshare = ["unshare", ...own, "--", "/bin/sh", "-c"];
  const kept = carried.length === 0 ? [] : [`--preserve-env=${carried.join(",")}`];
  if (brief) return mode === "sudo" ? ["sudo", "-n", "--", ...unshare] : unshare;
  const dies = (signal: string) => ["setpriv", "--pdeathsig", signal, "--"];
  return mode === "sudo"
    ? [...dies("HUP"), "/bin/sh", "-c", lifeline, "wave", "sudo", "-n", ...kept, "--", ...unshare]
    : [...dies("KILL"), ...unshare];
}

/**
 * The user may not kill the process that `sudo` runs, and `sudo` does not end when Wave does. This shell gets HUP instead
 * and kills its process group, which includes the command, because that runs as the user again. When the command dies, the
 * first process of its namespace ends, and every process in it. `env --default-signal` is needed because background jobs
 * start with SIGINT and SIGQUIT ignored.
 */
const lifeline = [
  "trap : TERM INT; trap 'kill -KILL 0' HUP; exec 3<&0",
  'env --default-signal=INT --default-signal=QUIT "$@" <&3 3<&- & c=$!; exec 3<&-',
  "while :; do wait $c; s=$?; [ -e /proc/$c ] || break; done; exit $s",
].join("\n");

/** The identity of the command and the privileges to drop. */
export interface DropSetting {
  readonly mode: Exclude<IsolationMode, "none">;
  readonly identity: Identity;
  readonly closed: boolean;
  /**
   * Give the child a user namespace of its own, in which it cannot create others: there it would have capabilities again,
   * and access to much more of the kernel.
   */
  readonly ownUser: boolean;
  /** A root child keeps `fileCapabilities`, in a namespace that maps all ids. */
  readonly allIds: boolean;
  /** The argv prefix that leaves the machine's session keyring. */
  readonly keyring: readonly string[];
  /** The argv prefix that confines its sockets. It requires `--no-new-privs`. */
  readonly filter: readonly string[];
}

const bare = ["--no-new-privs", "--ambient-caps=-all", "--inh-caps=-all", "--bounding-set=-all"];

/**
 * The capabilities of a root child in its own user namespace (capabilities(7)): access to files of every owner in the
 * view, as root has outside. They apply to the child's namespace only, so they allow no mounts, device nodes, tracing or
 * kernel settings.
 */
export const fileCapabilities = ["chown", "dac_override", "fowner", "fsetid", "setuid", "setgid"] as const;

const bareRoot = [...bare.slice(0, -1), `--bounding-set=${["-all", ...fileCapabilities.map((name) => `+${name}`)].join(",")}`];

/** Pipes between a root child and the process that maps its ids. The script opens them; the command inherits neither. */
export const mapDescriptors = { request: 6, reply: 7 } as const;

/** The shell line that opens the pipes in a directory and removes their names. Runs `failed` if that does not work. */
export function mapperPipes(directory: string, failed: string): string {
  const [request, reply] = [`${directory}/id-request`, `${directory}/id-reply`];
  const opened = `${mapDescriptors.request}<>${request} ${mapDescriptors.reply}<>${reply}`;
  return `mkfifo -m 600 ${request} ${reply} && exec ${opened} && rm ${request} ${reply} || ${failed}`;
}

/** Maps every id of this namespace to the same number in the child's. The kernel accepts a map in a single write only. */
const mapIds = (name: "uid_map" | "gid_map") =>
  `m=; while read -r i o n; do m="$m$i $i $n\\n"; done </proc/self/${name}; printf "$m" >/proc/$p/${name} || r=no`;

/**
 * Maps the ids of the requesting child from outside its user namespace, where that is permitted (user_namespaces(7)).
 * Replies with one line, empty on success.
 */
export const idMapper = `{ r=; read -r p; ${mapIds("uid_map")}; ${mapIds("gid_map")}; echo "$r" >&${mapDescriptors.reply}; } <&${mapDescriptors.request} 2>/dev/null &`;

/** The child's side: it requests its ids and waits for the reply. */
const awaitIds = `echo $$ >&${mapDescriptors.request}; read -r r <&${mapDescriptors.reply}; [ -z "$r" ] || { echo "cannot map its ids" >&2; exit 125; }; exec ${mapDescriptors.request}<&- ${mapDescriptors.reply}<&-`;

/** A descriptor of the machine's `/proc`, opened by the script: the setting cannot be written through the view's own. */
export const procDescriptor = 8;

/** Forbids user namespaces below this one. Does nothing on kernels that lack the setting or deny access to it. */
const lastOne = `{ echo 0 >/proc/self/fd/${procDescriptor}/sys/user/max_user_namespaces; } 2>/dev/null`;

/**
 * Makes `/proc` read-only in a mount namespace of the child's own, after `unshare` has written there. Modes and owners of
 * its entries belong to the kernel, not to one mount, so root could change those of the machine, even below
 * `/proc/PID/net`. Links in `/proc/PID/fd` can still be opened for writing.
 */
const freezeProc = `${readOnlyProc("/proc")} || exit 125`;

/** The command that makes a mounted `/proc` read-only. */
export function readOnlyProc(place: string): string {
  return `mount -n -o remount,${readOnlyBind},noexec proc ${place}`;
}

/**
 * Some distributions refuse user namespaces to users without CAP_SYS_ADMIN; `sudo` mode is for these. The user keeps that
 * one capability until its namespace is created, which removes it.
 */
const toMakeUser = ["--inh-caps=+sys_admin", "--ambient-caps=+sys_admin"];

/** Whether the child is root with all ids of the machine, so that the script has to run the mapper. */
export function mapsAllIds({ mode, closed, ownUser, allIds }: Pick<DropSetting, "mode" | "closed" | "ownUser" | "allIds">): boolean {
  return mode === "root" && closed && ownUser && allIds;
}

/**
 * The argv prefix inside the view: the caller's user again, without any capability and without a way to gain one. Root in
 * a user namespace of its own keeps `fileCapabilities`.
 */
export function dropPrivilegesArgv({ mode, identity, closed, ownUser, allIds, keyring, filter }: DropSetting): readonly string[] {
  const { uid, gid } = identity;
  const isMapped = mapsAllIds({ mode, closed, ownUser, allIds });
  const own = ["--user", ...(isMapped ? [] : [`--map-user=${uid}`, `--map-group=${gid}`]), "--"];
  // `--keep-caps`: a user other than root would lose its capabilities here, but the setting and `setpriv` still need some.
  const script = [...(isMapped ? [awaitIds] : []), lastOne, ...(uid === 0 ? [freezeProc] : []), `exec "$@" ${procDescriptor}<&-`].join(
    "; ",
  );
  const mounts = uid === 0 ? ["--mount", "--propagation", "unchanged"] : [];
  const last = ownUser ? ["unshare", "--keep-caps", ...mounts, ...own, "/bin/sh", "-c", script, "wave"] : [];
  const end = closed ? [...last, ...keyring, "setpriv", ...(isMapped ? bareRoot : bare), "--", ...filter] : [];
  switch (mode) {
    case "root":
      return end;
    case "sudo":
      return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", ...(closed && ownUser ? toMakeUser : []), "--", ...end];
    case "user-namespace":
      // A second namespace restores the user's own id; the mounts cannot be taken apart from inside it.
      return closed ? end : ["unshare", ...own, "setpriv", "--no-new-privs", "--"];
  }
}
