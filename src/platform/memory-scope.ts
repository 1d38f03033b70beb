/**
 * Enforces a memory limit with a systemd scope per child, if Wave may not create control groups. Creates scopes as root, with the user's
 * own manager, or as root through `sudo` without a password (as on GitHub's runners).
 *
 * A scope and its counters end with its last process. So a small process stays in it until Wave has read them, at most as long as Wave
 * runs.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { type GroupPlace, groupAt, groupPlaces, type MemoryGroup, readLatin1 } from "./memory-group.ts";

/** A method to create scopes. */
export interface ScopeMethod {
  /** The program and arguments that create a scope. */
  readonly command: readonly string[];
  /** Variables with which it finds the manager. Not passed to the child. */
  readonly env: Readonly<Record<string, string>>;
  /** The prefix to run as root. With it, the child is moved into the scope: `sudo` would change its environment. Else it starts there. */
  readonly sudo?: readonly string[];
}

/** A method that works, and the directory of its scopes' groups. */
export interface ProbedMethod extends ScopeMethod {
  readonly place: GroupPlace;
}

/** Starts a process that runs as long as the process in `$1`, in its own session and without the child's open files. */
const stay = '( setsid tail --pid="$1" -f /dev/null </dev/null >/dev/null 2>&1 & ); shift; exec "$@"';

/** Waits for the scope, moves into it and executes the command. If this fails, polling still enforces the limit. */
const join = [
  "i=0",
  'while [ ! -e "$1" ] && [ "$i" -lt 60 ]; do sleep 0.05; i=$((i + 1)); done',
  `$2 /bin/sh -c 'echo "$1" >"$2"' sh "$$" "$1" 2>/dev/null`,
  'shift 2; exec "$@"',
].join("; ");

/** Prints its control groups and their memory limits. The arguments are the mount points of control groups. */
const probe = [
  "cat /proc/self/cgroup",
  "for mount; do for own in $(cut -d: -f3 /proc/self/cgroup | sort -u); do",
  'cat "$mount$own/memory.max" "$mount$own/memory.limit_in_bytes" 2>/dev/null',
  "done; done",
  "exit 0",
].join("\n");

const probedBytes = 2 ** 30;

let opened = 0;
const systemPath = "/usr/bin:/bin:/usr/sbin:/sbin";

let known: { readonly method: ProbedMethod | undefined } | undefined;

/** Creates a scope with a limit; undefined without a systemd that may create one. Never throws. */
export function openMemoryScope(limitBytes: number, method: ProbedMethod | undefined = scopeMethod()): MemoryGroup | undefined {
  if (method === undefined) return undefined;
  const unit = nextUnit();
  const group = { version: method.place.version, directory: path.join(method.place.directory, unit) };
  const create = [...method.command, ...scopeArgs(unit, limitBytes)];
  const { sudo, env } = method;
  if (sudo === undefined) return { ...groupAt(group), entering: (command) => enteringArgs(create, env, command) };
  keepScope([...sudo, ...create]);
  const procs = path.join(group.directory, "cgroup.procs");
  return { ...groupAt(group), entering: (command) => ["/bin/sh", "-c", join, "wave", procs, sudo.join(" "), ...command] };
}

/** Whether systemd can enforce limits on this machine. */
export function hasMemoryScopes(): boolean {
  return scopeMethod() !== undefined;
}

/** Probes a method with a scope whose limit is read back. Undefined if it does not work. */
export function tryScopes(method: ScopeMethod): ProbedMethod | undefined {
  const mounts = readLatin1("/proc/self/mountinfo");
  const places = mounts.split("\n").flatMap((line) => (/ - cgroup2? /.test(line) ? [line.split(" ")[4] ?? ""] : []));
  const create = [...(method.sudo ?? []), ...method.command, ...scopeArgs(nextUnit(), probedBytes)];
  const args = [...create, "--", "/bin/sh", "-c", probe, "sh", ...places];
  const [program = "", ...rest] = args;
  let printed: string;
  try {
    const env = { PATH: systemPath, ...method.env };
    printed = execFileSync(program, rest, { env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 5000 });
  } catch {
    // The program is missing, has no permission, or waits for input.
    return undefined;
  }
  if (!printed.split("\n").includes(String(probedBytes))) return undefined;
  const place = groupPlaces(printed, mounts).find(({ directory }) => directory.endsWith(".scope"));
  return place === undefined ? undefined : { ...method, place: { version: place.version, directory: path.dirname(place.directory) } };
}

function scopeMethod(): ProbedMethod | undefined {
  if (known !== undefined) return known.method;
  known = { method: undefined };
  for (const method of process.platform === "linux" && existsSync("/run/systemd/system") ? methods(process.env) : [])
    known = { method: known.method ?? tryScopes(method) };
  return known.method;
}

/** Possible methods, best first. */
function methods(env: NodeJS.ProcessEnv): readonly ScopeMethod[] {
  const user = process.geteuid?.();
  if (user === 0) return [{ command: ["systemd-run"], env: {} }];
  const runtime = env["XDG_RUNTIME_DIR"] ?? `/run/user/${user}`;
  const bus = env["DBUS_SESSION_BUS_ADDRESS"] ?? `unix:path=${runtime}/bus`;
  const own = { command: ["systemd-run", "--user"], env: { XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: bus } };
  return [...(existsSync(runtime) ? [own] : []), { command: ["systemd-run"], env: {}, sudo: ["sudo", "-n"] }];
}

function nextUnit(): string {
  return `wave-${process.pid}-${++opened}.scope`;
}

function scopeArgs(unit: string, limitBytes: number): readonly string[] {
  return ["--scope", "--quiet", "--collect", `--unit=${unit}`, "-p", `MemoryMax=${limitBytes}`, "-p", "MemorySwapMax=0"];
}

function enteringArgs(create: readonly string[], env: ScopeMethod["env"], command: readonly string[]): readonly string[] {
  const names = Object.keys(env);
  const hide = names.length === 0 ? [] : ["/usr/bin/env", ...names.flatMap((name) => ["-u", name])];
  const show = names.length === 0 ? [] : ["/usr/bin/env", ...names.map((name) => `${name}=${env[name]}`)];
  return [...show, ...create, "--", ...hide, "/bin/sh", "-c", stay, "wave", String(process.pid), ...command];
}

/** Creates a scope that contains only the process that stays in it, as this user, so that Wave can kill it. */
function keepScope(args: readonly string[]): void {
  const [program = "", ...rest] = args;
  const identity = [`--uid=${process.geteuid?.()}`, `--gid=${process.getegid?.()}`];
  const child = spawn(program, [...rest, ...identity, "--", "tail", `--pid=${process.pid}`, "-f", "/dev/null"], {
    detached: true,
    stdio: "ignore",
    // Not this process's environment: other processes could read it for as long as the run lasts.
    env: { PATH: systemPath },
  });
  child.on("error", () => undefined);
  child.unref();
}
