/**
 * Identifies a process by pid, start time and host, even after its pid was reused. Checks whether a process on this machine is still
 * running; it cannot check processes of other machines.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** `processStart` is opaque; empty if the platform does not provide it. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly processStart: string;
  readonly host: string;
}

let own: ProcessIdentity | undefined;

/** This process. On GitHub, whose machines are temporary, its host includes the workflow run and attempt: `HOST/github/123/2`. */
export function processIdentity(): ProcessIdentity {
  own ??= { pid: process.pid, processStart: startOf(process.pid) ?? "", host: hostOf(process.env) };
  return own;
}

function hostOf(env: NodeJS.ProcessEnv): string {
  const run = env["GITHUB_ACTIONS"] === "true" ? Number(env["GITHUB_RUN_ID"]) : Number.NaN;
  return Number.isSafeInteger(run) ? `${hostname()}/github/${run}/${Number(env["GITHUB_RUN_ATTEMPT"] ?? 1)}` : hostname();
}

/** The workflow run and attempt in a host name; undefined outside of workflows. */
export function workflowOf(host: string): { readonly run: number; readonly attempt: number } | undefined {
  const [, run, attempt] = /\/github\/(\d+)\/(\d+)$/.exec(host) ?? [];
  return run === undefined ? undefined : { run: Number(run), attempt: Number(attempt) };
}

/**
 * Whether a process may still be running. A process of another host counts as alive, because this machine cannot check it, except for one
 * of an earlier attempt of the same workflow run.
 */
export function isAlive(identity: ProcessIdentity): boolean {
  const self = processIdentity();
  if (machineOf(identity.host) !== machineOf(self.host)) return !isOlderAttempt(identity.host, self.host);
  if (identity.pid === self.pid) return identity.processStart === self.processStart;
  if (!processExists(identity.pid)) return false;
  const start = startOf(identity.pid);
  if (start === undefined || identity.processStart === "") return start !== gone;
  return start === identity.processStart;
}

function machineOf(host: string): string {
  return host.replace(/\/github\/\d+\/\d+$/, "");
}

/** All jobs of an attempt end before the next attempt starts. */
function isOlderAttempt(host: string, own: string): boolean {
  const [theirs, ours] = [workflowOf(host), workflowOf(own)];
  return theirs !== undefined && ours !== undefined && theirs.run === ours.run && theirs.attempt < ours.attempt;
}

/** Sends a signal if the process is certainly the identified one. Returns whether it was sent. */
export function signalProcess(identity: ProcessIdentity, signal: "SIGTERM"): boolean {
  // Without a start time, the pid may have been reused.
  const isIdentified = machineOf(identity.host) === machineOf(processIdentity().host) && identity.processStart !== "";
  if (!isIdentified || startOf(identity.pid) !== identity.processStart) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}

/** The start of a zombie, which equals no process's start. */
const gone = "gone";

/** Whether a process with this id exists, of any user. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process exists but belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** The start of a process; undefined if the platform does not provide it. */
function startOf(pid: number): string | undefined {
  if (process.platform === "linux") return linuxStart(pid);
  if (process.platform === "win32") return undefined;
  try {
    const printed = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      env: { PATH: "/bin:/usr/bin", LC_ALL: "C", TZ: "UTC" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    return printed.trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Boot id and start time in clock ticks: field 22 of proc_pid_stat(5). */
function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field, a file name in parentheses, may contain blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return gone;
    return `${bootId()}:${fields[19] ?? ""}`;
  } catch {
    return undefined;
  }
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}
