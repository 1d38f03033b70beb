/** Reads the checked-out commit from a repository's files, without running git. */
import path from "node:path";
import { type GitRepository, readSmall } from "./git-repository.ts";

/** The largest reference and the largest list of packed references that are read, in bytes. */
const referenceBytes = 64 * 1024;
const packedBytes = 256 * 1024 * 1024;
/** The most symbolic references that git follows in a chain. */
const deepest = 5;

/** HEAD's commit id. Undefined without a commit, and for a reftable, which only git can read. */
export function headCommit({ directory, common, refFormat }: GitRepository): string | undefined {
  if (refFormat !== "files") return undefined;
  let name = "HEAD";
  for (let links = 0; links <= deepest; links++) {
    const place = isOwnOfWorkTree(name) ? directory : common;
    const text = readSmall(path.join(place, name), referenceBytes)?.toString().trim() ?? packedReference(common, name);
    if (text === undefined) return undefined;
    const target = /^ref:\s*(.+)$/.exec(text)?.[1];
    if (target === undefined) return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text) ? text : undefined;
    if (!/^refs\//.test(target) || target.split("/").includes("..")) return undefined;
    name = target;
  }
  return undefined;
}

/** Whether a reference is per work tree (gitglossary(7), "per-worktree ref"). */
function isOwnOfWorkTree(name: string): boolean {
  return !name.startsWith("refs/") || /^refs\/(?:bisect|worktree|rewritten)\//.test(name);
}

/** The id of a name in `packed-refs`, whose lines are `<id> <name>`. */
function packedReference(common: string, name: string): string | undefined {
  const list = readSmall(path.join(common, "packed-refs"), packedBytes);
  if (list === undefined) return undefined;
  const at = list.indexOf(` ${name}\n`);
  if (at === -1) return undefined;
  return list.subarray(list.lastIndexOf("\n", at) + 1, at).toString();
}
