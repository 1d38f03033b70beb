/**
 * Provides the project's tree as a copy, for machines that cannot mount overlays. Reflinks make it cheap on file systems
 * that support them. It behaves like the overlay; contracts run in the copy itself, which is deleted with their writes.
 */
import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, unlinkSync } from "node:fs";
import path from "node:path";
import { applyChangeset } from "../changeset/apply-changes.ts";
import { collectChanges } from "../changeset/collect-changes.ts";
import { unreadable } from "../changeset/copy-files.ts";
import { copyTree } from "../changeset/copy-tree.ts";
import { shown } from "../changeset/disk.ts";
import { openIgnoreRules } from "../changeset/ignored-paths.ts";
import { type Snapshot, takeSnapshot } from "../changeset/snapshot.ts";
import { err, ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { describeIoError } from "../platform/files.ts";
import { namedAlternates } from "../platform/git-alternates.ts";
import { relativeInside } from "../platform/paths.ts";
import { entriesBelow, type WalkedEntry } from "../platform/walk.ts";
import { listArea, readFromArea } from "../sandbox/area-files.ts";
import { lend } from "../sandbox/git-layers.ts";
import { firstNonDirectoryParent } from "../sandbox/path-safety.ts";
import type { Bind } from "../sandbox/view.ts";
import { refusedPath, writeIntoArea } from "../sandbox/write-area.ts";
import { copiedRoot, copyAround, repositoryAround } from "./around-copy.ts";
import { type AttemptTree, changesetStart, type TreeRequest, type TreeSetting } from "./attempt-tree.ts";

/**
 * A copied repository borrows objects from the original, whose path shows the copy inside a sandbox. Returns binds that
 * show the objects at separate paths, and changes the copy to use these.
 */
function lendObjects(directory: string, scratch: string): readonly Bind[] {
  const git = path.join(directory, ".git");
  const binds: Bind[] = [];
  for (const [index, repository] of [git, ...modulesOf(path.join(git, "modules"))].entries()) {
    const alternates = path.join(repository, "objects", "info", "alternates");
    // Behind a symlink it belongs to the original, not to the copy.
    if (firstNonDirectoryParent(directory, path.relative(directory, alternates)) !== undefined) continue;
    if (lstatSync(alternates, { throwIfNoEntry: false })?.isFile() !== true) continue;
    const [objects] = namedAlternates(path.join(repository, "objects"));
    if (objects !== undefined && existsSync(objects)) binds.push(...lend({ objects, alternates, scratch, name: `tree.${index}` }));
  }
  return binds;
}

/** The repositories of submodules, in directories that spell their paths. Inside a repository, only `modules` contains others. */
function modulesOf(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  const found = new Set<string>();
  const enter = ({ name, path: inner, directory: outer }: WalkedEntry) => {
    if (found.has(outer)) return name === "modules";
    if (existsSync(path.join(directory, inner, "objects"))) found.add(inner);
    return true;
  };
  for (const _ of entriesBelow(directory, { enter }));
  return [...found].map((inner) => path.join(directory, inner));
}

/** Moves paths from one tree to another, replacing what is in the way. Skips missing paths. */
function moveAll(paths: readonly string[], from: string, to: string): Result<void> {
  try {
    for (const file of paths) {
      const source = path.join(from, file);
      const target = path.join(to, file);
      // Behind a symlink the path is not in this tree.
      if (firstNonDirectoryParent(from, file) !== undefined || lstatSync(source, { throwIfNoEntry: false }) === undefined) continue;
      const stray = firstNonDirectoryParent(to, file);
      if (stray !== undefined) unlinkSync(stray);
      mkdirSync(path.dirname(target), { recursive: true });
      rmSync(target, { recursive: true, force: true });
      renameSync(source, target);
    }
    return ok(undefined);
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return workspaceFailed(code, detail);
  }
}

const block = 4096;
const hint = "earlier steps changed them too; restore the steps' versions or the original ones, then run `wave resume`";

/** The approximate disk usage of the files of a copy. */
function sizeOf({ files }: Snapshot): number {
  let sum = 0;
  for (const facts of files.values()) sum += Math.ceil(Number(facts.split(" ")[2]) / block) * block;
  return sum;
}

/**
 * Copies the project. Returns the printable paths of unreadable files that the copy lacks, provided that git ignores all
 * of them. Fails with `file-unreadable` for any other, and like copying and running git.
 */
async function copyReadable({ root, isExcluded, isKnownToGit }: TreeSetting, directory: string): Promise<Result<readonly string[]>> {
  const copied = await copyTree({ root, directory, isExcluded: isExcluded });
  if (!copied.ok || copied.value.length === 0) return copied.ok ? ok([]) : copied;
  const ignored = await openIgnoreRules(root, [], isKnownToGit).ignored(copied.value);
  if (!ignored.ok) return ignored;
  const other = copied.value.find(({ path: file }) => !ignored.value.has(file));
  return other === undefined ? ok(copied.value.map(({ path: file }) => shown(file))) : unreadable(other.path);
}

/**
 * Copies the project, applies `start` and removes hidden files. Fails with `project-changed` if something else edited a
 * file that `start` changes, with `file-unreadable` if an unreadable file is not ignored by git, with `workspace-failed`,
 * and like reading blobs.
 */
export async function copiedTree(setting: TreeSetting, request: TreeRequest): Promise<Result<AttemptTree>> {
  const { root, stateDir, stateRoot = stateDir, blobs, redactor, isExcluded, isKnownToGit } = setting;
  const { start, hidden, reads } = request;
  const around = request.sandboxed ? undefined : repositoryAround(root);
  const directory = copiedRoot(request.dirs, root, request.sandboxed);
  mkdirSync(directory, { recursive: true });
  const surrounded = around === undefined ? ok(undefined) : await copyAround(around, path.join(request.dirs.directory, "tree"));
  if (!surrounded.ok) return surrounded;
  const copied = await copyReadable(setting, directory);
  if (!copied.ok) return copied;
  // The sandbox masks this path, as in an overlay.
  const statePlace = relativeInside(root, stateRoot);
  if (request.sandboxed && statePlace !== undefined) mkdirSync(path.join(directory, statePlace), { recursive: true });
  const applied = await applyChangeset({ root: directory, changes: start, blobs });
  if (!applied.ok) return applied;
  if (applied.value.kind === "refused")
    return err({ reason: "project-changed", paths: applied.value.paths.map((file) => file.path).sort(), hint });
  const hiddenFiles = path.join(request.dirs.directory, "hidden");
  const moved = moveAll(hidden, directory, hiddenFiles);
  if (!moved.ok) return moved;
  const snapshot = await takeSnapshot(directory);
  if (!snapshot.ok) return snapshot;
  const tree = { kind: "directory", source: directory } as const;
  return ok({
    place: directory,
    unreadable: copied.value,
    written: { directory, bytes: sizeOf(snapshot.value) },
    tree,
    ...(request.sandboxed ? { binds: lendObjects(directory, request.dirs.directory) } : {}),
    async forContract(restore) {
      // Contracts read everything. Files that the step created at hidden paths are not part of its changes.
      const back = moveAll(hidden, hiddenFiles, directory);
      const restored = restore === undefined ? ok(undefined) : await writeIntoArea({ directory }, restore);
      if (!restored.ok) return restored;
      return back.ok ? ok({ tree, release: async () => undefined }) : back;
    },
    read: (file, limit) => readFromArea({ directory }, file, limit),
    list: (glob) => listArea({ directory }, glob),
    write: async (entries) => refusedPath(entries, isExcluded) ?? writeIntoArea({ directory }, entries),
    async changeset() {
      return collectChanges({
        ...changesetStart(request, isKnownToGit),
        root,
        isExcluded: (file: string) => isExcluded(file) || request.isRepository(file),
        blobs,
        redactor,
        ...(reads === undefined ? {} : { hidden: (file: string) => !reads(file) }),
        source: { kind: "copy", directory, snapshot: snapshot.value },
      });
    },
  });
}
