/**
 * Port for the objects of one commit. `platform/github/` implements it with the REST API, `github/fetched-commit.ts`
 * with a fetch.
 */
import type { Result } from "./result.ts";

/** An entry of a git tree. */
export interface CommitEntry {
  /** Relative to the tree that was read, with forward slashes. */
  readonly path: string;
  readonly kind: "file" | "link" | "directory" | "submodule";
  /** The id of the blob, tree or commit: 40 or 64 lowercase hex digits. */
  readonly id: string;
  /** In bytes; 0 unless it is a file or a link. */
  readonly size: number;
  /** Set for executable files. */
  readonly executable?: true;
}

export interface CommitTree {
  readonly entries: readonly CommitEntry[];
  /** Entries are missing because the tree exceeds the host's limit for one listing. */
  readonly truncated: boolean;
}

/** Fails with `github-failed`. */
export interface CommitObjects {
  /** Reads the tree of a commit or of a directory, by its id. `recursive` includes everything below it. */
  readTree(id: string, recursive: boolean): Promise<Result<CommitTree>>;
  /** The bytes of a file. The caller knows its size from the tree. */
  readBlob(id: string): Promise<Result<Uint8Array>>;
}
