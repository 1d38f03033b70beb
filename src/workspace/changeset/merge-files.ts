/** Merges two texts that go back to a third, as git does, with the steps' names at the markers. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { MergedFile, MergeFiles } from "../../model/merge-states.ts";
import type { ArtifactStore } from "../../model/ports.ts";
import { err, ok, type Result } from "../../model/result.ts";
import { describeIoError } from "../../platform/files.ts";
import { runGit } from "../../platform/git.ts";
import { removeTree } from "./remove-tree.ts";

/** Lines of the first conflict that are shown. */
const hunkLines = 40;
/** Above it `git merge-file` reports an error, not a number of conflicts. */
const mostConflicts = 127;

/**
 * A merge over the store of blobs. What is no text (NUL, not UTF-8) on any side is a conflict without a hunk. The merged text is stored.
 * Fails as the store does, with `spawn-failed` where git is missing, and with `workspace-failed`.
 */
export function mergeFilesWith(blobs: ArtifactStore): MergeFiles {
  return async ({ base, ours, theirs }) => {
    const sides: Uint8Array[] = [];
    for (const digest of [ours.digest, base, theirs.digest]) {
      const bytes = digest === undefined ? ok(new Uint8Array()) : await blobs.get(digest);
      if (!bytes.ok) return bytes;
      sides.push(bytes.value);
    }
    if (!sides.every(isText)) return ok({ kind: "conflict", detail: "both changed it, and it is no text" });
    const merged = await mergeTexts(sides, [ours.label, "before", theirs.label]);
    if (!merged.ok) return merged;
    if (merged.value.kind === "conflict") return ok(merged.value);
    const stored = await blobs.put(merged.value.bytes);
    return stored.ok ? ok({ kind: "merged", digest: stored.value.digest, size: stored.value.size }) : stored;
  };
}

type MergedText = Extract<MergedFile, { kind: "conflict" }> | { readonly kind: "text"; readonly bytes: Uint8Array };

async function mergeTexts(sides: readonly Uint8Array[], labels: readonly string[]): Promise<Result<MergedText>> {
  let directory: string;
  try {
    directory = mkdtempSync(path.join(tmpdir(), "wave-merge-"));
    for (const [at, bytes] of sides.entries()) writeFileSync(path.join(directory, String(at)), bytes);
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return err({ reason: "workspace-failed", code, detail: `texts cannot be laid out to be merged: ${detail}` });
  }
  try {
    const named = labels.flatMap((label) => ["-L", label]);
    const answer = await runGit(["merge-file", "-p", "--diff3", ...named, "0", "1", "2"], directory);
    if (!answer.ok) return answer;
    const { code = mostConflicts + 1, stdout, stderr } = answer.value;
    if (code === 0) return ok({ kind: "text", bytes: stdout });
    if (code > mostConflicts) return err({ reason: "workspace-failed", code: "EGIT", detail: `git does not merge: ${stderr.trim()}` });
    return ok({ kind: "conflict", detail: "both changed the same lines", hunk: firstHunk(stdout.toString()) });
  } finally {
    await removeTree(directory);
  }
}

/** The first conflict with its markers; its middle is left out where it is long. */
function firstHunk(merged: string): string {
  const lines = merged.split("\n");
  const start = lines.findIndex((line) => line.startsWith("<<<<<<< "));
  const end = lines.findIndex((line, at) => at > start && line.startsWith(">>>>>>> "));
  const hunk = lines.slice(start, end === -1 ? undefined : end + 1);
  if (hunk.length <= hunkLines) return hunk.join("\n");
  const half = Math.floor((hunkLines - 1) / 2);
  return [...hunk.slice(0, half), `… ${hunk.length - 2 * half} more lines …`, ...hunk.slice(-half)].join("\n");
}

function isText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
