/**
 * The project's tree as a copy: where overlays cannot be mounted. Reflinks make it cheap where the file system has them. It looks
 * like the overlay from above; contracts run in the copy itself, which is thrown away with what they write.
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
import { failed } from "./attempt-dirs.ts";
import { type AttemptTree, changesetStart, type TreeRequest, type TreeSetting } from "./attempt-tree.ts";

/**
 * A copied repository borrows its objects from the original, whose place shows the copy inside a sandbox. They are shown at places of their
 * own there. Returns the binds for them, and changes the copy to look there.
 */
function lendObjects(directory: string, scratch: string): readonly Bind[] {
  const git = path.join(directory, ".git");
  const binds: Bind[] = [];
  for (const [index, repository] of [git, ...modulesOf(path.join(git, "modules"))].entries()) {
    const alternates = path.join(repository, "objects", "info", "alternates");
    // Behind a link it is the original, and not the copy's.
    if (firstNonDirectoryParent(directory, path.relative(directory, alternates)) !== undefined) continue;
    if (lstatSync(alternates, { throwIfNoEntry: false })?.isFile() !== true) continue;
    const [objects] = namedAlternates(path.join(repository, "objects"));
    if (objects !== undefined && existsSync(objects)) binds.push(...lend({ objects, alternates, scratch, name: `tree.${index}` }));
  }
  return binds;
}

/** Repositories of submodules lie in directories that spell their paths. In a repository, only `modules` holds others. */
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

/** Moves paths from one tree to another, over what is in the way; those that are not there are passed over. */
function moveAll(paths: readonly string[], from: string, to: string): Result<void> {
  try {
    for (const file of paths) {
      const source = path.join(from, file);
      const target = path.join(to, file);
      // Behind a link it is no path of this tree.
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
    return failed(code, detail);
  }
}

const block = 4096;
const hint = "earlier steps changed them too; `wave resume` continues when they are as these steps left them, or as they were before";

/** What the files of a copy take on disk, about. */
function sizeOf({ files }: Snapshot): number {
  let sum = 0;
  for (const facts of files.values()) sum += Math.ceil(Number(facts.split(" ")[2]) / block) * block;
  return sum;
}

/**
 * Copies the project. Returns the printable paths that the copy lacks because they cannot be read, if git ignores all of them. Fails with
 * `file-unreadable` for another one, and as copying and asking git do.
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
 * Copies the project, applies `start` to the copy and removes hidden files from it. Fails with `project-changed` if something else edited
 * a file that `start` changes, with `file-unreadable` if a file that git does not ignore cannot be read, with `workspace-failed`, and as reading blobs
 * does.
 */
export async function copiedTree(setting: TreeSetting, request: TreeRequest): Promise<Result<AttemptTree>> {
  const { root, stateDir, stateRoot = stateDir, blobs, redactor, isExcluded, isKnownToGit } = setting;
  const { step, start, hidden, reads } = request;
  const around = request.sandboxed ? undefined : repositoryAround(root);
  const directory = copiedRoot(request.dirs, root, request.sandboxed);
  mkdirSync(directory, { recursive: true });
  const surrounded = around === undefined ? ok(undefined) : await copyAround(around, path.join(request.dirs.directory, "tree"));
  if (!surrounded.ok) return surrounded;
  const copied = await copyReadable(setting, directory);
  if (!copied.ok) return copied;
  // Its place is masked in the sandbox, as an overlay's is.
  const statePlace = relativeInside(root, stateRoot);
  if (request.sandboxed && statePlace !== undefined) mkdirSync(path.join(directory, statePlace), { recursive: true });
  const laid = await applyChangeset({ root: directory, changes: start, blobs });
  if (!laid.ok) return laid;
  if (laid.value.kind === "refused")
    return err({ reason: "project-changed", paths: laid.value.paths.map((file) => file.path).sort(), hint });
  const aside = path.join(request.dirs.directory, "hidden");
  const putAside = moveAll(hidden, directory, aside);
  if (!putAside.ok) return putAside;
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
      // Contracts read everything. What the step made in such a place was no change of its.
      const back = moveAll(hidden, aside, directory);
      const restored = restore === undefined ? ok(undefined) : await writeIntoArea({ directory }, restore);
      if (!restored.ok) return restored;
      return back.ok ? ok({ tree, release: async () => undefined }) : back;
    },
    read: (file, limit) => readFromArea({ directory }, file, limit),
    list: (glob) => listArea({ directory }, glob),
    write: async (entries) => refusedPath(entries, isExcluded) ?? writeIntoArea({ directory }, entries),
    async changeset() {
      return collectChanges({
        ...changesetStart(request),
        root,
        isExcluded: (file: string) => isExcluded(file) || request.isRepository(file),
        isKnownToGit,
        blobs,
        redactor,
        include: step.changesInclude,
        ...(reads === undefined ? {} : { hidden: (file: string) => !reads(file) }),
        source: { kind: "copy", directory, snapshot: snapshot.value },
      });
    },
  });
}
