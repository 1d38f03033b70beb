/** The trusted source of protected files: a commit, or the base of the run. */
import { createHash } from "node:crypto";
import { lstat, readFile, readlink } from "node:fs/promises";
import type { Changeset } from "../core/changeset.ts";
import { type Digest, digestOfBytes } from "../core/digest.ts";
import type { Pipeline, Step } from "../core/pipeline.ts";
import type { TreeEntry, TrustedFiles } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { tryIo } from "../platform/files.ts";
import { runGit } from "../platform/git.ts";
import { pathPattern } from "../text/glob.ts";
import { fsPath } from "../text/path-bytes.ts";
import type { BaseFiles } from "../workspace/base.ts";
import type { RunStore } from "./open-project.ts";

/** The project of a run, and the changes that lead back to the files that the run started from. */
interface RunBase {
  readonly start: { readonly files?: BaseFiles; readonly trustedFiles?: TrustedFiles; readonly rollback: Changeset };
  readonly store: Pick<RunStore, "blobs">;
  readonly read: { readonly root: string };
}

/** Where a run restores protected files from. Undefined if the files of its base are not known. */
export function trustedFilesOf(run: RunBase): TrustedFiles | undefined {
  return run.start.trustedFiles ?? baseOfRun(run);
}

/**
 * Step id → digest of the files that its contracts restore from a commit. The base of a run is part of every
 * fingerprint anyway.
 */
export async function digestProtected(
  { steps }: Pipeline,
  trusted: TrustedFiles | undefined,
): Promise<Result<ReadonlyMap<string, Digest>>> {
  const digests = new Map<string, Digest>();
  for (const step of trusted === undefined ? [] : steps) {
    const globs = globsOf(step);
    if (globs.length === 0) continue;
    const patterns = globs.map(pathPattern);
    const listed = await trusted?.list((file) => patterns.some((matches) => matches(file)));
    if (listed?.ok === false) return listed;
    digests.set(step.id, digestOfBytes(JSON.stringify(listed?.value.map((file) => [file.path, file.id]))));
  }
  return ok(digests);
}

function globsOf({ contracts }: Step): readonly string[] {
  return contracts.flatMap((contract) => (contract.type === "test_suite" ? contract.protect : []));
}

/** The project's files before the run changed anything, verified by git's ids. */
function baseOfRun({ start: { files, rollback }, store, read }: RunBase): TrustedFiles | undefined {
  if (files === undefined) return undefined;
  // Changes that an earlier run, or this run before a resume, applied to the project are not in the base.
  const rolledBack = new Map(rollback.map(({ path: file, after }) => [file, after]));
  const { root } = read;
  const isOf = (bytes: Uint8Array, id: string) =>
    createHash(files.algorithm).update(`blob ${bytes.length}\0`).update(bytes).digest("hex") === id;
  return {
    async list(matches) {
      const unchanged = files.entries
        .filter(({ path: file, mode }) => mode !== "160000" && !rolledBack.has(file) && matches(file))
        .map(({ path: file, oid }) => ({ path: file, id: oid }));
      const reverted = [...rolledBack].flatMap(([file, after]) =>
        after !== undefined && "digest" in after && matches(file) ? [{ path: file, id: after.digest }] : [],
      );
      return ok([...unchanged, ...reverted].sort((a, b) => (a.path < b.path ? -1 : 1)));
    },
    async read(file) {
      const after = rolledBack.get(file);
      if (after !== undefined && "digest" in after) {
        const bytes = await store.blobs.get(after.digest);
        return bytes.ok ? ok({ mode: after.mode, bytes: bytes.value }) : bytes;
      }
      const entry = files.entries.find(({ path: one }) => one === file);
      if (entry === undefined) return changed(file);
      const mode = entry.mode as Exclude<TreeEntry["mode"], "040000">;
      const current = await tryIo(() => bytesAt(fsPath(root, file)));
      if (current.ok && isOf(current.value, entry.oid)) return ok({ mode, bytes: current.value });
      const stored = files.isStored(entry) ? await runGit(["cat-file", "blob", entry.oid], root) : undefined;
      return stored?.ok === true && stored.value.code === 0 && isOf(stored.value.stdout, entry.oid)
        ? ok({ mode, bytes: stored.value.stdout })
        : changed(file);
    },
  };
}

async function bytesAt(file: string | Buffer): Promise<Uint8Array> {
  return (await lstat(file)).isSymbolicLink() ? Buffer.from(await readlink(file)) : readFile(file);
}

function changed(file: string): Result<never> {
  return err({ reason: "project-changed", paths: [file], hint: "a protected file was edited during the run; run again" });
}
