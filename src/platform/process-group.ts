/**
 * The processes that belong to a child: its process group everywhere; on Linux, by /proc, also its session and descendants.
 * A process that leaves all three before anyone looks is out of reach here; a sandbox with its own process ids is the cure.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

const procShowsProcesses = process.platform === "linux" && existsSync("/proc/self/stat");

/** Whether a memory limit holds here: only Linux shows what processes hold without a program of its own. */
export const memoryLimitEnforced: boolean = procShowsProcesses;

/** Signals every process of the group that `leader` leads. Says whether there was one. */
export function signalGroup(leader: number, signal: "SIGTERM" | "SIGKILL"): boolean {
  if (process.platform === "win32") return endTree(leader);
  try {
    process.kill(-leader, signal);
    return true;
  } catch (error) {
    // EPERM: the group is there, but what is left of it belongs to someone else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** SIGKILL for the group, and on Linux for everything that a look at /proc finds to belong to it. Says whether there was one. */
export function killAll(leader: number): boolean {
  const members = membersOf(leader);
  const any = signalGroup(leader, "SIGKILL");
  for (const pid of members) kill(pid);
  return any || members.length > 0;
}

/** Whether a process of the group still runs; zombies that nobody reaps do not count where /proc tells them. */
export function isGroupAlive(leader: number): boolean {
  if (process.platform === "win32") return false;
  try {
    process.kill(-leader, 0);
  } catch {
    return false;
  }
  return !procShowsProcesses || membersOf(leader).length > 0;
}

/** Bytes of resident memory of all processes that belong to a child, shared pages counted for each; nothing where it cannot be told. */
export function groupMemory(leader: number): number | undefined {
  if (!procShowsProcesses) return undefined;
  return membersOf(leader).reduce((sum, pid) => sum + residentBytes(pid), 0);
}

/** Windows has no groups: the tree of a process that still runs is ended by force, which `taskkill` does. */
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

/** Live processes in the group, the session or below the child; empty where /proc is not. */
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
    // The command's name stands in brackets and may hold anything, brackets too.
    const [state, parent, group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 4);
    if (state === undefined || state === "" || state === "Z" || state === "X") return [];
    return [{ pid, parent: Number(parent), group: Number(group), session: Number(session) }];
  });
}

function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+([0-9]+) kB$/m.exec(read(`/proc/${pid}/status`));
  return Number(found?.[1] ?? 0) * 1024;
}

/** Processes end while they are looked at. */
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
