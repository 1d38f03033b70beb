/** Describes what a child sees of the machine, as plain values. Nothing here touches the system. */
import type { Link } from "../platform/links.ts";

/** A file or directory of the machine that appears in the view. Absolute paths. */
export interface Bind {
  readonly source: string;
  /** The path at which it appears. */
  readonly target: string;
  readonly writable: boolean;
  /** True for a file; a directory by default. */
  readonly isFile?: boolean;
}

/** `work` is for overlayfs itself, next to `upper` in one parent directory. */
export interface OverlayLayer {
  readonly upper: string;
  readonly work: string;
}

/**
 * Layers over a directory, lowest first; writes go to the last one. Each layer is a mount of its own, stacked (the kernel
 * allows two): a single mount cannot take layers that are inside its own base directory.
 */
export interface OverlayTree {
  readonly kind: "overlay";
  readonly base: string;
  readonly layers: readonly OverlayLayer[];
}

/** The source of the project's tree. */
export type Tree =
  | OverlayTree
  /** A plain directory. */
  | { readonly kind: "directory"; readonly source: string };

/** Parts of the machine that a closed view shows besides the sandbox's own selection. */
interface MachineParts {
  /** Symlinks to recreate, unless something is mounted there. Defaults to none. */
  readonly links?: readonly Link[];
  /** Paths in `/etc`. */
  readonly etc?: readonly string[];
}

export interface SandboxView {
  /** `closed`: an allowlisted root. `open`: the machine itself, except for the project's tree; processes and network are shared. */
  readonly sandbox: "closed" | "open";
  /** The path at which the tree appears, and the child's working directory. Absolute. */
  readonly project: string;
  readonly tree: Tree;
  readonly binds: readonly Bind[];
  /** Directories outside the tree whose changes go to layers of the attempt. Defaults to none. */
  readonly layered?: readonly OverlayTree[];
  readonly machine?: MachineParts;
  /** Paths in the view to hide behind an empty, read-only directory or file. Missing paths are skipped. */
  readonly masks: readonly string[];
  /**
   * The state directory, if the tree contains it: only what is bound there is visible. `instead`: a directory of the
   * machine that appears there read-only and contains the mount points of those binds.
   */
  readonly hidden?: { readonly place: string; readonly instead: string };
  /** Paths in the view that cannot be written. Missing paths are skipped. */
  readonly readOnly: readonly string[];
  /** `none`: only a loopback of its own. `proxy`: loopback, and the hosts that the proxy behind this unix socket permits. */
  readonly network: { readonly kind: "host" } | { readonly kind: "none" } | { readonly kind: "proxy"; readonly socket: string };
}
