/**
 * The mounts that cover parts of a sandbox's `/proc`: entries that describe the machine, and files restricted to root,
 * whose mode check a child that runs as root passes even without capabilities. Directories outside `/proc/PID` are
 * read-only; for a root child, `dropPrivilegesArgv` makes all of `/proc` read-only.
 */
import { lstatSync, readdirSync } from "node:fs";
import { bindLine, deviceBind, line, type MountLine, readOnlyBind } from "./mount-lines.ts";

/** Hidden like in container engines: the machine's memory, keys, timers and interrupts, and interfaces to its hardware. */
const hidden = new Set(
  "acpi asound config.gz dynamic_debug interrupts iomem ioports kallsyms kcore keys key-users kmsg latency_stats sched_debug scsi timer_list timer_stats".split(
    " ",
  ),
);

/** The mount lines for a `/proc` mounted at `place`, without entries that this kernel lacks. */
export function procLines(place: string): readonly MountLine[] {
  return entries().flatMap(({ name, isDirectory, mode }): MountLine[] => {
    const where = `${place}/${name}`;
    if (isDirectory)
      return [hidden.has(name) ? line("tmpfs", "wave", where, emptyDirectory) : bindLine(where, where, `${readOnlyBind},noexec`)];
    const isRestricted = (mode & 0o004) === 0 || (mode & 0o222) !== 0;
    return hidden.has(name) || isRestricted ? [bindLine("/dev/null", where, deviceBind)] : [];
  });
}

const emptyDirectory = "ro,nosuid,nodev,noexec,size=4k,mode=555";

interface Entry {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly mode: number;
}

/** Read once: entries change only when a kernel module is loaded, and new ones have safe modes. */
let known: readonly Entry[] | undefined;

function entries(): readonly Entry[] {
  // Without `withFileTypes`: Node would stat each entry, and throw if a process ends meanwhile.
  known ??= readdirSync("/proc").flatMap((name): Entry[] => {
    if (/^\d+$/.test(name)) return [];
    const stat = lstatSync(`/proc/${name}`, { throwIfNoEntry: false });
    // Links (`self`, `net`) point to the reading process.
    return stat === undefined || stat.isSymbolicLink() ? [] : [{ name, isDirectory: stat.isDirectory(), mode: stat.mode }];
  });
  return known;
}
