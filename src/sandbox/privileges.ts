/** How namespaces are made and privileges given up, for each way that a machine may allow. Pure. */
import { readOnlyBind } from "./mount-lines.ts";

/** `root`: wave is root. `sudo`: root without a password. `user-namespace`: as an ordinary user. `none`: no sandbox is available. */
export type IsolationMode = "root" | "sudo" | "user-namespace" | "none";

/** The user and group that the child runs as. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

export interface NamespaceSetting {
  readonly mode: Exclude<IsolationMode, "none">;
  /** Processes and `/proc` of its own, and no shared memory with others. */
  readonly closed: boolean;
  /** A network of its own. */
  readonly network: boolean;
  /** Variables to keep where the way into the namespaces would drop them. */
  readonly carried?: readonly string[];
  /** What is started ends by itself before long, and need not be ended with wave. */
  readonly brief?: boolean;
}

/** The words before a script: it runs as root of new namespaces, and dies when wave does. `sudo` does not pass that on. */
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
 * What `sudo` runs is not the user's to kill, and `sudo` does not end when wave does. This shell is told by HUP, and kills what it may: the
 * command, which is the user's again and of the same group. With the command the first process of its namespace ends, and everything in there.
 * The background would leave SIGINT and SIGQUIT ignored.
 */
const lifeline = [
  "trap : TERM INT; trap 'kill -KILL 0' HUP; exec 3<&0",
  'env --default-signal=INT --default-signal=QUIT "$@" <&3 3<&- & c=$!; exec 3<&-',
  "while :; do wait $c; s=$?; [ -e /proc/$c ] || break; done; exit $s",
].join("\n");

/** Whose the command is to be, and what is to be taken from it. */
export interface DropSetting {
  readonly mode: Exclude<IsolationMode, "none">;
  readonly identity: Identity;
  readonly closed: boolean;
  /** Give it a user namespace of its own, which keeps it from making others: there it would have capabilities again, and much of the kernel to try. */
  readonly ownUser: boolean;
  /** A root child keeps `fileCapabilities`, in a namespace that maps all ids. */
  readonly allIds: boolean;
  /** The words that leave the machine's session keyring. */
  readonly keyring: readonly string[];
  /** The words that confine its sockets; they need `--no-new-privs`. */
  readonly filter: readonly string[];
}

const bare = ["--no-new-privs", "--ambient-caps=-all", "--inh-caps=-all", "--bounding-set=-all"];

/**
 * The capabilities of a root child in its own user namespace (capabilities(7)): files of every owner in the view, as for root outside.
 * They count for the child's namespace only, so they allow neither mounts, device nodes, tracing nor settings of the kernel.
 */
export const fileCapabilities = ["chown", "dac_override", "fowner", "fsetid", "setuid", "setgid"] as const;

const bareRoot = [...bare.slice(0, -1), `--bounding-set=${["-all", ...fileCapabilities.map((name) => `+${name}`)].join(",")}`];

/** Pipes between a root child and the process that maps its ids: the script opens them, and neither is inherited by the command. */
export const mapDescriptors = { asked: 6, mapped: 7 } as const;

/** The line that opens them in a directory. They keep no name. `failed` follows where that did not work. */
export function mapperPipes(directory: string, failed: string): string {
  const [asked, mapped] = [`${directory}/asked`, `${directory}/mapped`];
  const opened = `${mapDescriptors.asked}<>${asked} ${mapDescriptors.mapped}<>${mapped}`;
  return `mkfifo -m 600 ${asked} ${mapped} && exec ${opened} && rm ${asked} ${mapped} || ${failed}`;
}

/** Every id of this namespace gets the same number in the child's. The kernel takes a map in one write only. */
const mapIds = (name: "uid_map" | "gid_map") =>
  `m=; while read -r i o n; do m="$m$i $i $n\\n"; done </proc/self/${name}; printf "$m" >/proc/$p/${name} || r=no`;

/**
 * Maps the ids of the child that asks, from outside its user namespace, where the rights to do so are (user_namespaces(7)). It answers
 * with one line, which is empty on success.
 */
export const idMapper = `{ r=; read -r p; ${mapIds("uid_map")}; ${mapIds("gid_map")}; echo "$r" >&${mapDescriptors.mapped}; } <&${mapDescriptors.asked} 2>/dev/null &`;

/** The child's side: it asks for its ids and waits for the answer. */
const awaitIds = `echo $$ >&${mapDescriptors.asked}; read -r r <&${mapDescriptors.mapped}; [ -z "$r" ] || { echo "its ids could not be mapped" >&2; exit 125; }; exec ${mapDescriptors.asked}<&- ${mapDescriptors.mapped}<&-`;

/** A descriptor of the machine's `/proc`, where the script opened it: in the view's own the setting cannot be written. */
export const procDescriptor = 8;

/** No user namespaces below this one. Kernels without the setting, or where it is closed, are left as they are. */
const lastOne = `{ echo 0 >/proc/self/fd/${procDescriptor}/sys/user/max_user_namespaces; } 2>/dev/null`;

/**
 * Makes `/proc` read-only, in a mount namespace of the child's own: `unshare` has to write there before. Modes and owners of its
 * entries belong to the kernel and not to one mount, so that root could change those of the machine, also below `/proc/PID/net`.
 * Links in `/proc/PID/fd` still open for writing.
 */
const freezeProc = `${readOnlyProc("/proc")} || exit 125`;

/** The command that makes a mounted `/proc` read-only. */
export function readOnlyProc(place: string): string {
  return `mount -n -o remount,${readOnlyBind},noexec proc ${place}`;
}

/**
 * Distributions refuse user namespaces to users without CAP_SYS_ADMIN, and `sudo` is the way where they do. The user keeps that one right
 * until its namespace is made, which takes it away.
 */
const toMakeUser = ["--inh-caps=+sys_admin", "--ambient-caps=+sys_admin"];

/** Whether the child is root with all ids of the machine, so that the script has to run the mapper. */
export function mapsAllIds({ mode, closed, ownUser, allIds }: Pick<DropSetting, "mode" | "closed" | "ownUser" | "allIds">): boolean {
  return mode === "root" && closed && ownUser && allIds;
}

/**
 * The words before the command, inside: the caller's user again, without any capability and no way to gain one. Root in a user namespace
 * of its own keeps `fileCapabilities`.
 */
export function dropPrivilegesArgv({ mode, identity, closed, ownUser, allIds, keyring, filter }: DropSetting): readonly string[] {
  const { uid, gid } = identity;
  const isMapped = mapsAllIds({ mode, closed, ownUser, allIds });
  const own = ["--user", ...(isMapped ? [] : [`--map-user=${uid}`, `--map-group=${gid}`]), "--"];
  // With its capabilities, which a user that is not root would lose on the way: the setting, and giving them up for good, take some.
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
      // A second namespace gives the user its own id back; what is mounted cannot be taken apart from in there.
      return closed ? end : ["unshare", ...own, "setpriv", "--no-new-privs", "--"];
  }
}
