/**
 * What is laid over a fresh `/proc`. A child that runs as root, even without any capability, may do by its user id alone what the modes of these
 * files let root do; and some tell of the machine what is nobody's business inside.
 */
import { lstatSync, readdirSync } from "node:fs";
import { bindLine, type MountLine } from "./mount-words.ts";

/** Of which nothing shows, as container engines have it: memory, keys, timers and interrupts of the machine, and ways to its hardware. */
const hidden = new Set(
  "acpi asound config.gz dynamic_debug interrupts iomem ioports kallsyms kcore keys key-users kmsg latency_stats sched_debug scsi timer_list timer_stats".split(
    " ",
  ),
);

/** The lines for a `/proc` that is mounted at `place`; what this kernel does not have is left out. */
export function procLines(place: string): readonly MountLine[] {
  return entries().flatMap(({ name, isDirectory, mode }): MountLine[] => {
    const where = `${place}/${name}`;
    // What others may not read, or root may write, is closed too, whatever its name.
    if (!isDirectory)
      return hidden.has(name) || (mode & 0o004) === 0 || (mode & 0o222) !== 0 ? [bindLine("/dev/null", where, "bind,ro")] : [];
    if (hidden.has(name)) return [{ what: "wave", where, type: "tmpfs", options: "ro,size=4k,mode=555", optional: false }];
    return [bindLine(where, where, "bind,ro")];
  });
}

interface Entry {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly mode: number;
}

/** Asked once: a kernel's own entries do not change, but for modules, whose files come with safe modes or under a directory that is read-only. */
let known: readonly Entry[] | undefined;

function entries(): readonly Entry[] {
  // Names alone: for their types Node looks at each, and throws where a process has ended meanwhile.
  known ??= readdirSync("/proc").flatMap((name): Entry[] => {
    if (/^\d+$/.test(name)) return [];
    const stat = lstatSync(`/proc/${name}`, { throwIfNoEntry: false });
    // Links (`self`, `net`) lead to a process's own.
    return stat === undefined || stat.isSymbolicLink() ? [] : [{ name, isDirectory: stat.isDirectory(), mode: stat.mode }];
  });
  return known;
}
