/**
 * Formats lines for `mount -a` and arguments for a shell. Pure. fstab(5) separates fields by blanks, so paths encode them
 * in octal.
 */
import path from "node:path";
import type { Tree } from "./view.ts";

export interface MountLine {
  readonly what: string;
  /** Empty if the caller sets it. */
  readonly where: string;
  readonly type: string;
  readonly options: string;
  /** The directory that has to exist in the view, or a file's directory. */
  readonly made?: string | undefined;
  /** The mount point is in the empty staging directory and has to be created first. */
  readonly inStaging?: true;
  /** Skipped if the path does not exist. */
  readonly optional: boolean;
}

/** Options of a writable bind. A device node in the project cannot be opened. */
export const writableBind = "bind,nosuid,nodev";

/** Options of a read-only bind. They repeat the flags that a user namespace must not clear (mount_namespaces(7)). */
export const readOnlyBind = "bind,ro,nosuid,nodev";

/**
 * Options of a bound device node. Read-only protects its inode (mode, owner, times), which belongs to the machine; the
 * kernel still lets programs write to the device itself.
 */
export const deviceBind = "bind,ro,nosuid,noexec";

/** Options of overlays that allow renaming directories of the lower layer: the kernel records each rename as a redirect. */
export const redirecting = "redirect_dir=on,metacopy=off";

/** The same without redirects: renaming such a directory fails with EXDEV. */
export const notRedirecting = "redirect_dir=off,metacopy=off";

/** Escapes a path for a field of fstab. */
export function octal(place: string): string {
  return place.replace(/[\s\\#"']/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** Shows a file or directory at another path. */
export function bindLine(what: string, where: string, options: string): MountLine {
  return { what, where, type: "none", options, optional: false };
}

/** Mounts a file system of the given type. */
export function line(type: string, what: string, where: string, options: string): MountLine {
  return { what, where, type, options, optional: false };
}

/** One line of fstab. */
export function fstabLine({ what, where, type, options }: MountLine): string {
  return `${octal(what)} ${octal(where)} ${type} ${options === "" ? "defaults" : options} 0 0\n`;
}

/** The longest path to put into an overlay's options: three of them and the flags have to fit into one page (mount(2)). */
const longestPlain = 500;

/**
 * The mounts of an overlay; the last one has no mount point yet. Directories whose paths the options cannot contain first
 * get short names in the staging directory, and layers below others are mounted there. `prefix` separates the names of
 * several overlays.
 */
export function overlayLines(tree: Extract<Tree, { kind: "overlay" }>, staging: string, more: string, prefix = "l"): readonly MountLine[] {
  const lines: MountLine[] = [];
  const inStaging = (line: Omit<MountLine, "where" | "optional">) => {
    const where = `${staging}/${prefix}${lines.length}`;
    lines.push({ ...line, where, inStaging: true, optional: false });
    return where;
  };
  const isPlain = (place: string) => place.length <= longestPlain && /^[\w@%+=./-]+$/.test(place);
  const named = (place: string) => (isPlain(place) ? place : inStaging({ what: place, type: "none", options: "bind" }));
  let lower = named(tree.base);
  for (const [index, { upper, work }] of tree.layers.entries()) {
    const parent = named(path.dirname(upper));
    const inside = (place: string) => path.posix.join(parent, path.basename(place));
    const parts = [`lowerdir=${lower}`, `upperdir=${inside(upper)}`, `workdir=${inside(work)}`, more];
    const line = { what: "overlay", type: "overlay", options: parts.filter((part) => part !== "").join(",") };
    if (index < tree.layers.length - 1) lower = inStaging(line);
    else lines.push({ ...line, where: "", optional: false });
  }
  return lines;
}
