/**
 * What a child sees of the machine, as plain values. The sandbox's back ends make it so; nothing here touches the system.
 */
import type { Link } from "../platform/links.ts";

/** A file or directory of the machine that appears in the view. Absolute paths. */
export interface Bind {
  readonly source: string;
  /** Where it appears. */
  readonly target: string;
  readonly writable: boolean;
  /** Whether it is a file; a directory otherwise. */
  readonly isFile?: boolean;
}

/** `work` is overlayfs's own, beside `upper`: they have one parent. */
export interface OverlayLayer {
  readonly upper: string;
  readonly work: string;
}

/**
 * Layers over a directory, the lowest first; what is written goes to the last one. One mount each, stacked (the kernel takes two): layers that
 * lie inside the directory could not be given to one mount together with it.
 */
export interface OverlayTree {
  readonly kind: "overlay";
  readonly base: string;
  readonly layers: readonly OverlayLayer[];
}

/** Where the project's tree comes from. */
export type Tree =
  | OverlayTree
  /** A directory as it is. */
  | { readonly kind: "directory"; readonly source: string };

export interface SandboxView {
  /** `closed`: an allowlisted root. `open`: the machine as it is, but for the project's tree; processes and network are shared too. */
  readonly sandbox: "closed" | "open";
  /** Where the tree appears, and the child's working directory. Absolute. */
  readonly project: string;
  readonly tree: Tree;
  readonly binds: readonly Bind[];
  /** Directories outside the tree that the child writes to layers of the attempt, at their own places. Undefined if there are none. */
  readonly layered?: readonly OverlayTree[];
  /** Symbolic links of the machine that a closed view has too, unless something is mounted there. Undefined if there are none. */
  readonly links?: readonly Link[];
  /** Paths, as seen in the view, of which nothing shows: an empty directory or an empty file, read-only. What is not there is passed over. */
  readonly masks: readonly string[];
  /**
   * A directory that is certainly in the tree and of which nothing shows but what is bound there: state. `instead` is a directory of the machine
   * that appears, read-only, with the places of those binds.
   */
  readonly hidden?: { readonly place: string; readonly instead: string };
  /** Paths in `/etc` to show besides the sandbox's own selection. Only for a closed fence. */
  readonly etc?: readonly string[];
  /** Paths, as seen in the view, that cannot be written. What is not there is passed over. */
  readonly readOnly: readonly string[];
  /** `none`: loopback only, of its own. `proxy`: loopback, and what the proxy behind this unix socket lets through. */
  readonly network: { readonly kind: "host" } | { readonly kind: "none" } | { readonly kind: "proxy"; readonly socket: string };
}
