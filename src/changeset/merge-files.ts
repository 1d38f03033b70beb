/** Merges two texts with a common base, as git does, with the steps' names at the conflict markers. */
import { isUtf8 } from "node:buffer";
import type { Digest } from "../core/digest.ts";
import type { BlobStore } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { runGitAlone } from "../platform/git.ts";
import { counted } from "../text/quantity.ts";
import type { MergedFile, MergeFiles } from "./merge-states.ts";

/** Lines of the first conflict that are shown. */
const hunkLines = 40;
/** Above this value, the exit code of `git merge-file` is an error, not a number of conflicts. */
const mostConflicts = 127;

/**
 * A merge over the blob store. Binary content (NUL, not UTF-8) on any side is a conflict without a hunk. The merged text
 * is stored. Fails like the store, with `spawn-failed` if git is missing, and with `workspace-failed`.
 */
export function mergeFilesWith(blobs: BlobStore): MergeFiles {
  return async ({ base, ours, theirs }) => {
    const sides = await Promise.all([ours.digest, base, theirs.digest].map((digest) => textOf(blobs, digest)));
    const files: string[] = [];
    for (const side of sides) {
      if (!side.ok) return side;
      if (side.value === undefined) return ok({ kind: "conflict", detail: "both changed it, and it is not a text file" });
      files.push(side.value);
    }
    const merged = await mergeTexts(files, [ours.label, "before", theirs.label]);
    if (!merged.ok) return merged;
    if (merged.value.kind === "conflict") return ok(merged.value);
    const stored = await blobs.put(merged.value.bytes);
    return stored.ok ? ok({ kind: "merged", digest: stored.value.digest, size: stored.value.size }) : stored;
  };
}

/** The path of a blob's text; undefined if it is binary. Without a blob, that of an empty one. */
async function textOf(blobs: BlobStore, digest: Digest | undefined): Promise<Result<string | undefined>> {
  const known = digest === undefined ? await blobs.put(new Uint8Array()) : ok({ digest });
  if (!known.ok) return known;
  const bytes = await blobs.get(known.value.digest);
  if (!bytes.ok) return bytes;
  return isText(bytes.value) ? blobs.pathOf(known.value.digest) : ok(undefined);
}

type MergedText = Extract<MergedFile, { kind: "conflict" }> | { readonly kind: "text"; readonly bytes: Uint8Array };

/** `files`: ours, base, theirs. Git reads them directly, outside any repository. */
async function mergeTexts(files: readonly string[], labels: readonly string[]): Promise<Result<MergedText>> {
  const named = labels.flatMap((label) => ["-L", label]);
  const answer = await runGitAlone(["merge-file", "-p", "--diff3", ...named, ...files]);
  if (!answer.ok) return answer;
  const { code = mostConflicts + 1, stdout, stderr } = answer.value;
  if (code === 0) return ok({ kind: "text", bytes: stdout });
  if (code > mostConflicts) return workspaceFailed("EGIT", `git cannot merge: ${stderr.trim()}`);
  return ok({ kind: "conflict", detail: "both changed the same lines", hunk: firstHunk(stdout.toString()) });
}

/** The first conflict with its markers; the middle of a long one is omitted. */
function firstHunk(merged: string): string {
  const lines = merged.split("\n");
  const start = lines.findIndex((line) => line.startsWith("<<<<<<< "));
  const end = lines.findIndex((line, at) => at > start && line.startsWith(">>>>>>> "));
  const hunk = lines.slice(start, end === -1 ? undefined : end + 1);
  if (hunk.length <= hunkLines) return hunk.join("\n");
  const half = Math.floor((hunkLines - 1) / 2);
  return [...hunk.slice(0, half), `… ${counted(hunk.length - 2 * half, "more line")} …`, ...hunk.slice(-half)].join("\n");
}

function isText(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}
