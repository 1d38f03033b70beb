/**
 * Changesets: what an attempt added, changed and deleted, as states of paths before and after. A tree here is its files, its
 * symlinks and its empty directories; owners, times and mode bits other than the executable bit are not. Permissions that are narrower
 * than usual are kept, so that no file becomes readable for others, but do not count as a change. Pure.
 *
 * Paths are relative to the project root with forward slashes. Bytes of a name that are not UTF-8 are written as lone surrogates
 * U+DC80…U+DCFF (`text/path-bytes.ts`), so that every name has one text and JSON keeps it.
 */
import type { Digest } from "./digest.ts";

/** The content of a path. A symlink's digest and size are those of its target's text. Modes are written as git does. */
export type FileState =
  | {
      readonly mode: "100644" | "100755" | "120000";
      readonly digest: Digest;
      readonly size: number;
      /** The permission bits of a file if they are less than what the umask leaves a new one; undefined if they are not, or unknown. */
      readonly permissions?: number;
    }
  /** An empty directory. */
  | { readonly mode: "040000" };

/** One changed path. `before` is undefined if it was added, `after` if it was deleted. They are never equal. */
export interface ChangesetEntry {
  readonly path: string;
  readonly before?: FileState;
  readonly after?: FileState;
}

/** Sorted by path (by UTF-16 code units), each path once. A rename is a deletion and an addition. */
export type Changeset = readonly ChangesetEntry[];
