/**
 * Tells one process from every other, also after its id was given to somebody else: pid, start time and host.
 * It says whether a process on this machine still lives; of another machine's processes it knows nothing.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** `processStart` is opaque, and empty where the platform does not tell it. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly processStart: string;
  readonly host: string;
}

let own: ProcessIdentity | undefined;

/** This process. On GitHub, where machines come and go, its host also names the workflow run and the attempt: `HOST/github/123/2`. */
export function processIdentity(): ProcessIdentity {
  own ??= { pid: process.pid, processStart: startOf(process.pid) ?? "", host: hostOf(process.env) };
  return own;
}

function hostOf(env: NodeJS.ProcessEnv): string {
  const run = env["GITHUB_ACTIONS"] === "true" ? Number(env["GITHUB_RUN_ID"]) : Number.NaN;
  return Number.isSafeInteger(run) ? `${hostname()}/github/${run}/${Number(env["GITHUB_RUN_ATTEMPT"] ?? 1)}` : hostname();
}

/** The workflow run and the attempt of it that a host name tells; nothing outside of workflows. */
export function workflowOf(host: string): { readonly run: number; readonly attempt: number } | undefined {
  const [, run, attempt] = /\/github\/(\d+)\/(\d+)$/.exec(host) ?? [];
  return run === undefined ? undefined : { run: Number(run), attempt: Number(attempt) };
}

/**
 * Whether a process may still be running. A process of another host counts as alive, since nothing here can show that
 * it is not; but for one of an earlier attempt of the same workflow run.
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

/** All jobs of an attempt have ended when the next one begins. */
function isOlderAttempt(host: string, own: string): boolean {
  const [theirs, ours] = [workflowOf(host), workflowOf(own)];
  return theirs !== undefined && ours !== undefined && theirs.run === ours.run && theirs.attempt < ours.attempt;
}

/** Sends a signal to a process if it is certain that it is still the one that is meant, and says whether it did. */
export function signalProcess(identity: ProcessIdentity, signal: "SIGTERM"): boolean {
  // Where the platform tells no start time, the id may have been given to somebody else.
  const known = machineOf(identity.host) === machineOf(processIdentity().host) && identity.processStart !== "";
  if (!known || startOf(identity.pid) !== identity.processStart) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}

/** What a zombie's start is taken for: it is nobody's. */
const gone = "gone";

/** Whether there is a process of that id, whosoever it is. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is a process.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** When a process began; nothing where the platform does not tell. */
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
    // The second field is a file name in parentheses, and may hold both blanks and parentheses.
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
