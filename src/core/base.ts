/** The base of a run: the files of the project when the run started. */

/** One file of a base. `path` is relative to the project root, with forward slashes. */
export interface BaseEntry {
  readonly path: string;
  /** The mode as in git: `100644`, `100755` (executable), `120000` (symlink), `160000` (nested repository). */
  readonly mode: string;
  /** The id of the blob, or `unreadable`. */
  readonly oid: string;
}

/** The tracked files of a base, and the untracked ones that are not ignored. */
export interface BaseListing {
  /** The hash algorithm of the ids. */
  readonly algorithm: "sha1" | "sha256";
  readonly entries: readonly BaseEntry[];
  /** Whether the repository has the blob of an entry. */
  isStored(entry: BaseEntry): boolean;
}
