/** Reads trees and blobs of commits through the REST API. */
import type { CommitEntry, CommitObjects } from "../../core/commit.ts";
import type { Failure } from "../../core/failure.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { Api } from "./api.ts";

export function commitCalls(api: Api): CommitObjects {
  return {
    async readTree(id, isRecursive) {
      const args = { tree_sha: id, ...(isRecursive ? { recursive: "1" } : {}) };
      const read = readable(await api("read the files of a commit", "GET /repos/{owner}/{repo}/git/trees/{tree_sha}", args));
      return read.ok ? ok({ entries: read.value.tree.flatMap(treeEntryOf), truncated: read.value.truncated }) : read;
    },
    async readBlob(id) {
      const read = readable(await api("read a file of a commit", "GET /repos/{owner}/{repo}/git/blobs/{file_sha}", { file_sha: id }));
      if (!read.ok) return read;
      const { content, encoding } = read.value;
      return ok(Buffer.from(content, encoding === "base64" ? "base64" : "utf8"));
    },
  };
}

/** Converts a tree entry. */
function treeEntryOf({ path, mode, sha, size = 0 }: { path: string; mode: string; sha: string; size?: number }): CommitEntry[] {
  const kind = mode.startsWith("100") ? "file" : mode === "120000" ? "link" : mode === "040000" ? "directory" : "submodule";
  return [{ path, kind, id: sha, size, ...(mode === "100755" ? { executable: true } : {}) }];
}

function readable<T>(read: Result<T>): Result<T> {
  return read.ok ? read : err(withContentsHint(read.error));
}

/** Adds a hint about permissions: without `contents: read`, GitHub may also return 404. */
function withContentsHint(failure: Failure): Failure {
  if (failure.reason !== "github-failed" || failure.hint !== undefined) return failure;
  if (failure.status === 403) return { ...failure, hint: "give the job `contents: read`" };
  return failure.status === 404
    ? { ...failure, hint: "give the job `contents: read`; if it has that, the commit no longer exists" }
    : failure;
}
