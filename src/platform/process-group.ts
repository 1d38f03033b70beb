/**
 * Signals and measures the processes of a child: its process group and, on Linux through /proc, its session and descendants. It misses a
 * process that leaves all three before /proc is read; only a sandbox with its own process ids contains that.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

const procShowsProcesses = process.platform === "linux" && existsSync("/proc/self/stat");

/** Whether memory limits are enforced: only Linux shows memory usage without an extra program. */
export const memoryLimitEnforced: boolean = procShowsProcesses;

/** Signals the group that `leader` leads. Returns whether it had a process. */
export function signalGroup(leader: number, signal: "SIGTERM" | "SIGKILL"): boolean {
  if (process.platform === "win32") return endTree(leader);
  try {
    process.kill(-leader, signal);
    return true;
  } catch (error) {
    // EPERM: the group exists, but its remaining processes belong to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Sends SIGKILL to the group and, on Linux, to all processes of the child in /proc. Returns whether there was one. */
export function killAll(leader: number): boolean {
  const members = membersOf(leader);
  const any = signalGroup(leader, "SIGKILL");
  for (const pid of members) kill(pid);
  return any || members.length > 0;
}

/** Whether a process of the group still runs. With /proc, zombies do not count. */
export function isGroupAlive(leader: number): boolean {
  if (process.platform === "win32") return false;
  try {
    process.kill(-leader, 0);
  } catch {
    return false;
  }
  return !procShowsProcesses || membersOf(leader).length > 0;
}

/** Resident memory of a child's processes in bytes; counts shared pages for each process. Undefined without /proc. */
export function groupMemory(leader: number): number | undefined {
  if (!procShowsProcesses) return undefined;
  return membersOf(leader).reduce((sum, pid) => sum + residentBytes(pid), 0);
}

/** Windows has no process groups: `taskkill` kills the tree of a running process. */
function endTree(leader: number): boolean {
  spawn("taskkill", ["/pid", String(leader), "/t", "/f"], { stdio: "ignore", windowsHide: true }).on("error", () => {});
  return true;
}

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** Live processes in the child's group or session, and its descendants. Empty without /proc. */
function membersOf(leader: number): number[] {
  if (!procShowsProcesses) return [];
  const entries = liveProcesses();
  const members = new Set(entries.filter(({ pid, group, session }) => [pid, group, session].includes(leader)).map(({ pid }) => pid));
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    for (const { pid, parent } of entries) if (members.has(parent)) members.add(pid);
  }
  return [...members];
}

function liveProcesses(): ProcessEntry[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    const stat = read(`/proc/${name}/stat`);
    // The command's name is in parentheses and may itself contain parentheses.
    const [state, parent, group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 4);
    if (state === undefined || state === "" || state === "Z" || state === "X") return [];
    return [{ pid, parent: Number(parent), group: Number(group), session: Number(session) }];
  });
}

function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+([0-9]+) kB$/m.exec(read(`/proc/${pid}/status`));
  return Number(found?.[1] ?? 0) * 1024;
}

/** Reads a file of /proc; empty if the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
