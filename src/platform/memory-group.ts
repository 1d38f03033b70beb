/**
 * Enforces a memory limit with a control group per child. It covers all processes of the child, even those that leave its process group
 * and session, and counts shared pages once. Uses version 2 if that has the memory controller, else version 1.
 *
 * Needs permission to create a group beside Wave's own: as root, or with a delegated group. Without it, systemd may create one
 * (`memory-scope.ts`); else the limit is enforced by polling (`child-process.ts`).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describeIoError } from "./files.ts";

/** The files of a version of control groups. Numbers are bytes. */
interface Version {
  readonly limit: string;
  /** Memory and swap together (version 1), or swap alone (version 2). Missing on some kernels. */
  readonly swap: { readonly file: string; readonly value: (limit: number) => string };
  readonly peak: readonly string[];
  /** A file with a line `oom_kill N`. */
  readonly kills: string;
}

const versions: Readonly<Record<1 | 2, Version>> = {
  1: {
    limit: "memory.limit_in_bytes",
    swap: { file: "memory.memsw.limit_in_bytes", value: String },
    peak: ["memory.max_usage_in_bytes"],
    kills: "memory.oom_control",
  },
  2: {
    limit: "memory.max",
    swap: { file: "memory.swap.max", value: () => "0" },
    peak: ["memory.peak", "memory.current"],
    kills: "memory.events",
  },
};

/** A directory in which groups can be created. */
export interface GroupPlace {
  readonly version: 1 | 2;
  readonly directory: string;
}

export interface MemoryGroup {
  /** The command that runs `command` and its children inside the group. Its program must exist. */
  entering(command: readonly string[]): readonly string[];
  /** The peak usage in bytes, and whether the kernel killed a process for exceeding the limit. */
  usage(): { readonly peakBytes: number; readonly exceeded: boolean };
  /** Kills remaining processes and removes the group. */
  close(): void;
}

/** The shell moves itself into the group and executes the command. If it may not, polling still enforces the limit. */
const enter = '{ echo 0 >"$1"; } 2>/dev/null; shift; exec "$@"';

let opened = 0;
let known: { readonly place: GroupPlace | undefined } | undefined;

/** Creates a group with a limit; undefined if none can be created. Never throws. */
export function openMemoryGroup(limitBytes: number, place: GroupPlace | undefined = placeOfGroups()): MemoryGroup | undefined {
  if (place === undefined) return undefined;
  const directory = path.join(place.directory, `wave-${process.pid}-${++opened}`);
  const version = versions[place.version];
  const created = tried(() => {
    mkdirSync(directory);
    writeFileSync(path.join(directory, version.limit), String(limitBytes));
    return true;
  });
  if (created === undefined) {
    remove(directory);
    return undefined;
  }
  const swap = path.join(directory, version.swap.file);
  if (existsSync(swap)) tried(() => writeFileSync(swap, version.swap.value(limitBytes)));
  return {
    ...groupAt({ version: place.version, directory }),
    entering: (command) => ["/bin/sh", "-c", enter, "wave", path.join(directory, "cgroup.procs"), ...command],
  };
}

/** An existing group. */
export function groupAt({ version: number, directory }: GroupPlace): Pick<MemoryGroup, "usage" | "close"> {
  const version = versions[number];
  const inside = (name: string) => path.join(directory, name);
  return {
    usage() {
      const peak = version.peak.map((name) => Number(readLatin1(inside(name)))).find((bytes) => Number.isFinite(bytes) && bytes > 0);
      return { peakBytes: peak ?? 0, exceeded: Number(/^oom_kill ([0-9]+)$/m.exec(readLatin1(inside(version.kills)))?.[1] ?? 0) > 0 };
    },
    close() {
      // 0 is a process of another pid namespace. For `kill`, it would mean the caller's own group.
      const pids = readLatin1(inside("cgroup.procs")).split("\n").map(Number);
      for (const pid of pids.filter((pid) => pid > 0)) tried(() => process.kill(pid, "SIGKILL"));
      remove(directory);
    },
  };
}

/** Killed processes leave a group shortly after the signal, so this retries for a second. A later process of Wave removes the rest. */
function remove(directory: string, triesLeft = 20): void {
  tried(() => rmdirSync(directory));
  if (triesLeft > 0 && existsSync(directory)) setTimeout(() => remove(directory, triesLeft - 1), 50);
}

/** Removes groups of Wave processes that died. The kernel refuses to remove groups with running processes. */
function removeOrphans(directory: string): void {
  for (const name of tried(() => readdirSync(directory)) ?? []) {
    const pid = /^wave-([0-9]+)-[0-9]+$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) tried(() => rmdirSync(path.join(directory, name)));
  }
}

/** Whether the kernel can enforce limits on this machine. */
export function hasMemoryGroups(): boolean {
  return placeOfGroups() !== undefined;
}

/** Determined once, by creating a group with a limit. */
function placeOfGroups(): GroupPlace | undefined {
  if (known !== undefined) return known.place;
  known = { place: undefined };
  const places = process.platform === "linux" ? groupPlaces(readLatin1("/proc/self/cgroup"), readLatin1("/proc/self/mountinfo")) : [];
  known = { place: places.find(canCreate) };
  if (known.place !== undefined) removeOrphans(known.place.directory);
  return known.place;
}

function canCreate(place: GroupPlace): boolean {
  const group = openMemoryGroup(2 ** 30, place);
  group?.close();
  return group !== undefined;
}

/**
 * Candidate directories for new groups, from the content of `/proc/self/cgroup` and `/proc/self/mountinfo`: Wave's own group and, in
 * version 2, its parent, because there a group with processes cannot have subgroups with limits. Pure.
 */
export function groupPlaces(groups: string, mounts: string): readonly GroupPlace[] {
  const mounted = mounts.split("\n").flatMap((line) => {
    const [fields = "", kinds = ""] = line.split(" - ");
    const [, , , root = "", place = ""] = fields.split(" ");
    const [type, , options = ""] = kinds.split(" ");
    return type === "cgroup" || type === "cgroup2" ? [{ type, root, place, controllers: options.split(",") }] : [];
  });
  return groups.split("\n").flatMap((line): GroupPlace[] => {
    const [, controllers = "", own = ""] = /^[0-9]+:([^:]*):(\/.*)$/.exec(line) ?? [];
    const version = controllers === "" ? 2 : controllers.split(",").includes("memory") ? 1 : undefined;
    if (version === undefined || own === "") return [];
    const mount = mounted.find(({ type, controllers: names }) =>
      version === 2 ? type === "cgroup2" : type === "cgroup" && names.includes("memory"),
    );
    if (mount === undefined) return [];
    const below = mount.root === "/" ? own : own === mount.root || own.startsWith(`${mount.root}/`) ? own.slice(mount.root.length) : "/";
    const directory = path.posix.resolve(mount.place, `.${below}`);
    const beside = version === 2 && directory !== mount.place ? [{ version, directory: path.posix.dirname(directory) } as const] : [];
    return [{ version, directory } as const, ...beside];
  });
}

/** Reads a small file of the kernel; empty if it cannot be read. */
export function readLatin1(file: string): string {
  return tried(() => readFileSync(file, "latin1")) ?? "";
}

/** The result of an action; undefined if the system refuses it. Throws other errors. */
export function tried<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    describeIoError(error);
    return undefined;
  }
}
