/** Lines for `mount -a`, and words for a shell. Pure. fstab(5) separates fields by blanks, which paths write in octal. */
import path from "node:path";
import type { Tree } from "./view.ts";

export interface MountLine {
  readonly what: string;
  /** Empty: the caller says where. */
  readonly where: string;
  readonly type: string;
  readonly options: string;
  /** The directory of the view that has to be there, or hold a file of that name. */
  readonly made?: string | undefined;
  /** It lies on the bench, where nothing is yet: its directory has to be made first. */
  readonly onBench?: true;
  /** What is not there is passed over. */
  readonly optional: boolean;
}

/** Options of a writable bind. A device node that the project contains stays closed. */
export const writableBind = "bind,nosuid,nodev";

/** Options of a read-only bind. They repeat the flags that a user namespace must not clear (mount_namespaces(7)). */
export const readOnlyBind = "bind,ro,nosuid,nodev";

/**
 * Options of a bound device node. Read-only protects its inode (mode, owner, times), which belongs to the machine; the kernel
 * still lets programs write to the device itself.
 */
export const deviceBind = "bind,ro,nosuid,noexec";

/** Options of overlays in which directories of the lower layer can be renamed: the kernel records each rename as a redirect. */
export const redirecting = "redirect_dir=on,metacopy=off";

/** The same without redirects: renaming such a directory fails with EXDEV. */
export const notRedirecting = "redirect_dir=off,metacopy=off";

/** A path as a field of fstab. */
export function octal(place: string): string {
  return place.replace(/[\s\\#"']/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** A file or directory that appears at another place. */
export function bindLine(what: string, where: string, options: string): MountLine {
  return { what, where, type: "none", options, optional: false };
}

/** A file system of its own. */
export function line(type: string, what: string, where: string, options: string): MountLine {
  return { what, where, type, options, optional: false };
}

/** One line of fstab. */
export function fstabLine({ what, where, type, options }: MountLine): string {
  return `${octal(what)} ${octal(where)} ${type} ${options === "" ? "defaults" : options} 0 0\n`;
}

/** The longest path that an overlay's options name as it is: three of them and the flags have to fit one page (mount(2)). */
const longestPlain = 500;

/**
 * The mounts of an overlay; the last one has no place yet. Directories whose paths its options cannot spell or hold get short names on the
 * bench first, and layers that others lie on are mounted there. `prefix` keeps the names of several overlays apart.
 */
export function overlayLines(tree: Extract<Tree, { kind: "overlay" }>, bench: string, more: string, prefix = "l"): readonly MountLine[] {
  const lines: MountLine[] = [];
  const onBench = (line: Omit<MountLine, "where" | "optional">) => {
    const where = `${bench}/${prefix}${lines.length}`;
    lines.push({ ...line, where, onBench: true, optional: false });
    return where;
  };
  const isPlain = (place: string) => place.length <= longestPlain && /^[\w@%+=./-]+$/.test(place);
  const named = (place: string) => (isPlain(place) ? place : onBench({ what: place, type: "none", options: "bind" }));
  let lower = named(tree.base);
  for (const [index, { upper, work }] of tree.layers.entries()) {
    const parent = named(path.dirname(upper));
    const inside = (place: string) => path.posix.join(parent, path.basename(place));
    const parts = [`lowerdir=${lower}`, `upperdir=${inside(upper)}`, `workdir=${inside(work)}`, more];
    const line = { what: "overlay", type: "overlay", options: parts.filter((part) => part !== "").join(",") };
    if (index < tree.layers.length - 1) lower = onBench(line);
    else lines.push({ ...line, where: "", optional: false });
  }
  return lines;
}
