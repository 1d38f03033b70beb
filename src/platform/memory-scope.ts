/**
 * A memory limit that systemd has the kernel keep: a scope of a child's own, where wave may not make a control group itself. systemd is asked by whoever may: root,
 * the user's own manager, or root by `sudo` without a password (as on GitHub's runners).
 *
 * A scope ends with its last process, and its counts with it. So something small stays in it until wave has looked, and no longer than wave lives.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { type GroupPlace, groupAt, groupPlaces, type MemoryGroup, textOf } from "./memory-group.ts";

/** How systemd is asked here. */
export interface ScopeWay {
  /** The words of a program that makes scopes. */
  readonly ask: readonly string[];
  /** Variables by which it finds the manager. A child does not see them. */
  readonly env: Readonly<Record<string, string>>;
  /** Words that make a program root's. Absent: the child begins inside the scope; else it is moved there, since `sudo` would change what it sees. */
  readonly sudo?: readonly string[];
}

/** A way that was tried, and where the groups of its scopes lie. */
export interface KnownWay extends ScopeWay {
  readonly place: GroupPlace;
}

/** Stays until the process that is named first has ended, in a session of its own and with none of the child's files open. */
const stay = '( setsid tail --pid="$1" -f /dev/null </dev/null >/dev/null 2>&1 & ); shift; exec "$@"';

/** Waits for the scope, is moved into it, and becomes the command. Where that does not come about, the limit is still kept by looking. */
const join = [
  "i=0",
  'while [ ! -e "$1" ] && [ "$i" -lt 60 ]; do sleep 0.05; i=$((i + 1)); done',
  `$2 /bin/sh -c 'echo "$1" >"$2"' sh "$$" "$1" 2>/dev/null`,
  'shift 2; exec "$@"',
].join("; ");

/** Tells where it is, and what limits it finds there: the words are where control groups are mounted. */
const lookAround = [
  "cat /proc/self/cgroup",
  "for mount; do for own in $(cut -d: -f3 /proc/self/cgroup | sort -u); do",
  'cat "$mount$own/memory.max" "$mount$own/memory.limit_in_bytes" 2>/dev/null',
  "done; done",
  "exit 0",
].join("\n");

const probedBytes = 2 ** 30;

let opened = 0;
const systemPath = "/usr/bin:/bin:/usr/sbin:/sbin";

let known: { readonly way: KnownWay | undefined } | undefined;

/** A scope that may hold so many bytes; nothing where there is no systemd to ask. Never throws. */
export function openMemoryScope(limitBytes: number, way: KnownWay | undefined = wayOfScopes()): MemoryGroup | undefined {
  if (way === undefined) return undefined;
  const unit = nextUnit();
  const group = { version: way.place.version, directory: path.join(way.place.directory, unit) };
  const asked = [...way.ask, ...scopeArgs(unit, limitBytes)];
  const { sudo, env } = way;
  if (sudo === undefined) return { ...groupAt(group), entering: (command) => enteringArgs(asked, env, command) };
  keepScope([...sudo, ...asked]);
  const procs = path.join(group.directory, "cgroup.procs");
  return { ...groupAt(group), entering: (command) => ["/bin/sh", "-c", join, "wave", procs, sudo.join(" "), ...command] };
}

/** Whether systemd keeps limits here. */
export function hasMemoryScopes(): boolean {
  return wayOfScopes() !== undefined;
}

/** Tries a way, by a scope with a limit that is found again. Gives nothing where it does not work. */
export function tryScopes(way: ScopeWay): KnownWay | undefined {
  const mounts = textOf("/proc/self/mountinfo");
  const places = mounts.split("\n").flatMap((line) => (/ - cgroup2? /.test(line) ? [line.split(" ")[4] ?? ""] : []));
  const args = [...(way.sudo ?? []), ...way.ask, ...scopeArgs(nextUnit(), probedBytes), "--", "/bin/sh", "-c", lookAround, "sh", ...places];
  const [program = "", ...rest] = args;
  let told: string;
  try {
    const env = { PATH: systemPath, ...way.env };
    told = execFileSync(program, rest, { env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 5000 });
  } catch {
    // There is no such program, it may not, or it waits for somebody.
    return undefined;
  }
  if (!told.split("\n").includes(String(probedBytes))) return undefined;
  const place = groupPlaces(told, mounts).find(({ directory }) => directory.endsWith(".scope"));
  return place === undefined ? undefined : { ...way, place: { version: place.version, directory: path.dirname(place.directory) } };
}

function wayOfScopes(): KnownWay | undefined {
  if (known !== undefined) return known.way;
  known = { way: undefined };
  for (const way of process.platform === "linux" && existsSync("/run/systemd/system") ? ways(process.env) : [])
    known = { way: known.way ?? tryScopes(way) };
  return known.way;
}

/** The ways that there may be, best first. */
function ways(env: NodeJS.ProcessEnv): readonly ScopeWay[] {
  const user = process.geteuid?.();
  if (user === 0) return [{ ask: ["systemd-run"], env: {} }];
  const runtime = env["XDG_RUNTIME_DIR"] ?? `/run/user/${user}`;
  const bus = env["DBUS_SESSION_BUS_ADDRESS"] ?? `unix:path=${runtime}/bus`;
  const own = { ask: ["systemd-run", "--user"], env: { XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: bus } };
  return [...(existsSync(runtime) ? [own] : []), { ask: ["systemd-run"], env: {}, sudo: ["sudo", "-n"] }];
}

function nextUnit(): string {
  return `wave-${process.pid}-${++opened}.scope`;
}

function scopeArgs(unit: string, limitBytes: number): readonly string[] {
  return ["--scope", "--quiet", "--collect", `--unit=${unit}`, "-p", `MemoryMax=${limitBytes}`, "-p", "MemorySwapMax=0"];
}

function enteringArgs(asked: readonly string[], env: ScopeWay["env"], command: readonly string[]): readonly string[] {
  const names = Object.keys(env);
  const hide = names.length === 0 ? [] : ["/usr/bin/env", ...names.flatMap((name) => ["-u", name])];
  const show = names.length === 0 ? [] : ["/usr/bin/env", ...names.map((name) => `${name}=${env[name]}`)];
  return [...show, ...asked, "--", ...hide, "/bin/sh", "-c", stay, "wave", String(process.pid), ...command];
}

/** Makes a scope that holds nothing but what stays in it, as this user's, so that it can be ended. */
function keepScope(args: readonly string[]): void {
  const [program = "", ...rest] = args;
  const identity = [`--uid=${process.geteuid?.()}`, `--gid=${process.getegid?.()}`];
  const child = spawn(program, [...rest, ...identity, "--", "tail", `--pid=${process.pid}`, "-f", "/dev/null"], {
    detached: true,
    stdio: "ignore",
    // It lives as long as the run, so others could read from it what this process does not show.
    env: { PATH: systemPath },
  });
  child.on("error", () => undefined);
  child.unref();
}
