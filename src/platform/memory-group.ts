/**
 * A memory limit that the kernel keeps: a control group of a child's own. It holds what the child's processes take together, also of those that
 * leave its process group and session, and counts pages once however many share them. Version 2 where it has the memory controller, else version 1.
 *
 * It is to be had where wave may make a group beside its own: as root of a machine, or where somebody handed one over. Where it may not, systemd may make
 * one (`memory-scope.ts`); else there is no group, and the limit is kept by looking (see `child-process.ts`).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describeIoError } from "./files.ts";

/** Which files a version keeps things in; numbers are bytes. */
interface Version {
  readonly limit: string;
  /** Memory and swap together (version 1), or swap alone (version 2): not there on every kernel. */
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

/** Where new groups can be made. */
export interface GroupPlace {
  readonly version: 1 | 2;
  readonly directory: string;
}

export interface MemoryGroup {
  /** The words that start a command inside: nothing that it starts is outside. Its first word has to lead to a program. */
  entering(command: readonly string[]): readonly string[];
  /** The most that was held so far, in bytes, and whether the kernel ended a process for it. */
  look(): { readonly peakBytes: number; readonly exceeded: boolean };
  /** Kills what is left in it, and removes it. */
  close(): void;
}

/** A shell moves itself, and becomes the command. Where it may not, the limit is still kept by looking. */
const enter = '{ echo 0 >"$1"; } 2>/dev/null; shift; exec "$@"';

let opened = 0;
let known: { readonly place: GroupPlace | undefined } | undefined;

/** A group that may hold so many bytes; nothing where none can be made. Never throws. */
export function openMemoryGroup(limitBytes: number, place: GroupPlace | undefined = placeOfGroups()): MemoryGroup | undefined {
  if (place === undefined) return undefined;
  const directory = path.join(place.directory, `wave-${process.pid}-${++opened}`);
  const version = versions[place.version];
  const made = tried(() => {
    mkdirSync(directory);
    writeFileSync(path.join(directory, version.limit), String(limitBytes));
    return true;
  });
  if (made === undefined) {
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

/** A group that is there, whoever made it. */
export function groupAt({ version: number, directory }: GroupPlace): Pick<MemoryGroup, "look" | "close"> {
  const version = versions[number];
  const inside = (name: string) => path.join(directory, name);
  return {
    look() {
      const peak = version.peak.map((name) => Number(textOf(inside(name)))).find((bytes) => Number.isFinite(bytes) && bytes > 0);
      return { peakBytes: peak ?? 0, exceeded: Number(/^oom_kill ([0-9]+)$/m.exec(textOf(inside(version.kills)))?.[1] ?? 0) > 0 };
    },
    close() {
      // 0 stands for a process that cannot be seen from here; to `kill` it means the caller's own group.
      const pids = textOf(inside("cgroup.procs")).split("\n").map(Number);
      for (const pid of pids.filter((pid) => pid > 0)) tried(() => process.kill(pid, "SIGKILL"));
      remove(directory);
    },
  };
}

/** Killed processes leave a group a moment after the signal: it is asked again for a second. What is left then a later wave takes away. */
function remove(directory: string, triesLeft = 20): void {
  tried(() => rmdirSync(directory));
  if (triesLeft > 0 && existsSync(directory)) setTimeout(() => remove(directory, triesLeft - 1), 50);
}

/** Groups of processes that died before they could. The kernel keeps those in which something still runs. */
function removeOrphans(directory: string): void {
  for (const name of tried(() => readdirSync(directory)) ?? []) {
    const pid = /^wave-([0-9]+)-[0-9]+$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) tried(() => rmdirSync(path.join(directory, name)));
  }
}

/** Whether limits are kept by the kernel here. */
export function hasMemoryGroups(): boolean {
  return placeOfGroups() !== undefined;
}

/** Found out once, by making a group and giving it a limit. */
function placeOfGroups(): GroupPlace | undefined {
  if (known !== undefined) return known.place;
  known = { place: undefined };
  const places = process.platform === "linux" ? groupPlaces(textOf("/proc/self/cgroup"), textOf("/proc/self/mountinfo")) : [];
  known = { place: places.find(canHold) };
  if (known.place !== undefined) removeOrphans(known.place.directory);
  return known.place;
}

function canHold(place: GroupPlace): boolean {
  const group = openMemoryGroup(2 ** 30, place);
  group?.close();
  return group !== undefined;
}

/**
 * Where wave's own group lies, by `/proc/self/cgroup` and `/proc/self/mountinfo`: below it and beside it in version 2, where a group with processes of
 * its own can have no groups below with limits; below it in version 1. Pure.
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
    const mount = mounted.find(({ type, controllers: had }) =>
      version === 2 ? type === "cgroup2" : type === "cgroup" && had.includes("memory"),
    );
    if (mount === undefined) return [];
    const below = mount.root === "/" ? own : own === mount.root || own.startsWith(`${mount.root}/`) ? own.slice(mount.root.length) : "/";
    const directory = path.posix.resolve(mount.place, `.${below}`);
    const beside = version === 2 && directory !== mount.place ? [{ version, directory: path.posix.dirname(directory) } as const] : [];
    return [{ version, directory } as const, ...beside];
  });
}

/** A small file of the kernel's; empty where it cannot be read. */
export function textOf(file: string): string {
  return tried(() => readFileSync(file, "latin1")) ?? "";
}

/** What an action gives; nothing where the system refuses it. Throws what the system did not. */
export function tried<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    describeIoError(error);
    return undefined;
  }
}
