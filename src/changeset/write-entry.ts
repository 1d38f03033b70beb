/**
 * Writes files, symlinks and directories into a tree, each atomically and never through a symlink. Modes and owners follow
 * the existing path, or the directory that contains it.
 */
import {
  closeSync,
  fchmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { FileState } from "../core/changeset.ts";
import { type Digest, digestOfBytes } from "../core/digest.ts";
import { entriesBelow } from "../platform/walk.ts";
import { fsPath } from "../text/path-bytes.ts";
import { parentsOf } from "./combine-changes.ts";
import { lstatAt } from "./disk.ts";

type ContentState = Extract<FileState, { digest: Digest }>;

/** The tree to write to. `model`: the tree whose modes and owners count, often the same. */
export interface EntryTarget {
  readonly directory: string;
  readonly model: string;
}

const temporaryName = /^\.wave-[0-9a-f]{16}\.tmp$/;

/** Whether a name is that of a temporary file of `writeEntry`. */
export function isTemporary(name: string): boolean {
  return temporaryName.test(name);
}

/** The temporary file that is renamed to a path: always the same name, so that an interrupted write leaves no permanent file. */
export function temporaryFor(path: string): string {
  const slash = path.lastIndexOf("/") + 1;
  return `${path.slice(0, slash)}.wave-${digestOfBytes(path).slice("sha256:".length, "sha256:".length + 16)}.tmp`;
}

/**
 * Writes a file or symlink. A new file has at most the permissions of its state. `ready` is called just before the rename.
 * Throws the errors of `ready`, file system errors, and ENOTDIR if a parent is not a directory.
 */
export function writeEntry(
  target: EntryTarget,
  path: string,
  { mode, permissions }: Pick<ContentState, "mode" | "permissions">,
  bytes: Uint8Array,
  ready: () => void = () => undefined,
): void {
  makeParents(target, path);
  const temporary = fsPath(target.directory, temporaryFor(path));
  const model = lstatAt(target.model, path);
  removeIfThere(temporary);
  if (mode === "120000") {
    symlinkSync(Buffer.from(bytes), temporary);
  } else {
    const executable = mode === "100755";
    // A file that others may not read must not be readable while it is written.
    const file = openSync(temporary, "wx", model?.isFile() === true ? 0o600 : newMode(permissions, executable));
    try {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
      if (model?.isFile() === true) fchmodSync(file, modeLike(model.mode, executable));
    } finally {
      closeSync(file);
    }
  }
  setOwner(temporary, ownerFor(target, path, model));
  ready();
  const final = fsPath(target.directory, path);
  if (lstatAt(target.directory, path)?.isDirectory() === true) removeEmptyTree(target.directory, path);
  renameSync(temporary, final);
}

/** Creates a directory and its parents. Throws like `writeEntry`. */
export function makeDirectory(target: EntryTarget, path: string): void {
  makeParents(target, path);
  if (lstatAt(target.directory, path)?.isDirectory() === true) return;
  const place = fsPath(target.directory, path);
  const model = target.model === target.directory ? undefined : lstatAt(target.model, path);
  mkdirSync(place, model?.isDirectory() === true ? model.mode & 0o7777 : 0o777);
  setOwner(place, ownerFor(target, path, model));
}

function makeParents(target: EntryTarget, path: string): void {
  for (const parent of parentsOf(path).reverse()) {
    const stats = lstatAt(target.directory, parent);
    if (stats === undefined) makeDirectory(target, parent);
    else if (!stats.isDirectory()) throw Object.assign(new Error(`${parent} is not a directory`), { code: "ENOTDIR" });
  }
}

/** The permissions of a new file, before the umask: at most the recorded ones, except that the owner can read it for comparison. */
function newMode(permissions: number | undefined, executable: boolean): number {
  if (permissions === undefined) return executable ? 0o777 : 0o666;
  return executable ? permissions | 0o500 : (permissions & 0o666) | 0o400;
}

/** Read and write permissions stay unchanged; if the file is executable, everyone who may read it may execute it. */
function modeLike(mode: number, executable: boolean): number {
  const plain = mode & 0o666;
  return executable ? plain | ((plain & 0o444) >> 2) | 0o100 : plain;
}

/** Only root can change owners, and only root needs to. */
function ownerFor({ directory, model: tree }: EntryTarget, path: string, model: Stats | undefined): Stats | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  if (model !== undefined) return model;
  const [parent = ""] = parentsOf(path);
  return lstatAt(tree, parent) ?? lstatAt(directory, parent);
}

function setOwner(place: string | Buffer, owner: Stats | undefined): void {
  if (owner === undefined || (owner.uid === 0 && owner.gid === 0)) return;
  lchownSync(place, owner.uid, owner.gid);
}

/** Removes a directory that contains only directories. Throws ENOTEMPTY for others. */
function removeEmptyTree(directory: string, path: string): void {
  const inner = [...entriesBelow(directory, { from: path })].filter(({ kind }) => kind === "directory");
  for (const { path: child } of inner.reverse()) rmdirSync(fsPath(directory, child));
  rmdirSync(fsPath(directory, path));
}

/** Deletes a file if it exists. Checks first, because an error is ten times as expensive. */
export function removeIfThere(place: string | Buffer): void {
  try {
    if (lstatSync(place, { throwIfNoEntry: false }) !== undefined) unlinkSync(place);
  } catch (error) {
    if (!["ENOENT", "ENOTDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
