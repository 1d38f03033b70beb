/**
 * Puts files, symlinks and directories into a tree, each at once or not at all, and never through a symlink. Modes and owners follow
 * what is there, or the directory around it.
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

type LeafState = Extract<FileState, { digest: Digest }>;

/** Where leaves go: `model` is the tree whose modes and owners count, often the same. */
export interface EntryTarget {
  readonly directory: string;
  readonly model: string;
}

const temporaryName = /^\.wave-[0-9a-f]{16}\.tmp$/;

/** Whether a name is one that `writeLeaf` uses while it writes. */
export function isTemporary(name: string): boolean {
  return temporaryName.test(name);
}

/** The file that is written before it is renamed to its path: always the same one, so that an interrupted write leaves nothing for good. */
export function temporaryFor(path: string): string {
  const slash = path.lastIndexOf("/") + 1;
  return `${path.slice(0, slash)}.wave-${digestOfBytes(path).slice("sha256:".length, "sha256:".length + 16)}.tmp`;
}

/**
 * Writes a file or a symlink. A new file has at most the permissions of its state. `ready` is called just before it takes its place. Throws what that throws, the file system's errors, and ENOTDIR where
 * something above is no directory.
 */
export function writeEntry(
  target: EntryTarget,
  path: string,
  { mode, permissions }: Pick<LeafState, "mode" | "permissions">,
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
    // What the model keeps from others must not be readable while it is written.
    const file = openSync(temporary, "wx", model?.isFile() === true ? 0o600 : newMode(permissions, executable));
    try {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
      if (model?.isFile() === true) fchmodSync(file, modeLike(model.mode, executable));
    } finally {
      closeSync(file);
    }
  }
  own(temporary, ownerFor(target, path, model));
  ready();
  const final = fsPath(target.directory, path);
  if (lstatAt(target.directory, path)?.isDirectory() === true) removeEmptyTree(target.directory, path);
  renameSync(temporary, final);
}

/** Makes a directory and those above it. Throws as `writeLeaf` does. */
export function makeDirectory(target: EntryTarget, path: string): void {
  makeParents(target, path);
  if (lstatAt(target.directory, path)?.isDirectory() === true) return;
  const place = fsPath(target.directory, path);
  const model = target.model === target.directory ? undefined : lstatAt(target.model, path);
  mkdirSync(place, model?.isDirectory() === true ? model.mode & 0o7777 : 0o777);
  own(place, ownerFor(target, path, model));
}

function makeParents(target: EntryTarget, path: string): void {
  for (const parent of parentsOf(path).reverse()) {
    const stats = lstatAt(target.directory, parent);
    if (stats === undefined) makeDirectory(target, parent);
    else if (!stats.isDirectory()) throw Object.assign(new Error(`${parent} is no directory`), { code: "ENOTDIR" });
  }
}

/** The permissions of a new file, before the umask: never more than recorded, except that the owner can read it, so that it can be compared. */
function newMode(permissions: number | undefined, executable: boolean): number {
  if (permissions === undefined) return executable ? 0o777 : 0o666;
  return executable ? permissions | 0o500 : (permissions & 0o666) | 0o400;
}

/** Who may read and write a file stays as it was; who may read it may execute it, if it is executable. */
function modeLike(mode: number, executable: boolean): number {
  const plain = mode & 0o666;
  return executable ? plain | ((plain & 0o444) >> 2) | 0o100 : plain;
}

/** Only root can give files away, and only root has to. */
function ownerFor({ directory, model: tree }: EntryTarget, path: string, model: Stats | undefined): Stats | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  if (model !== undefined) return model;
  const [parent = ""] = parentsOf(path);
  return lstatAt(tree, parent) ?? lstatAt(directory, parent);
}

function own(place: string | Buffer, owner: Stats | undefined): void {
  if (owner === undefined || (owner.uid === 0 && owner.gid === 0)) return;
  lchownSync(place, owner.uid, owner.gid);
}

/** Removes a directory in which there are directories only; throws ENOTEMPTY for others. */
function removeEmptyTree(directory: string, path: string): void {
  const inner = [...entriesBelow(directory, { from: path })].filter(({ kind }) => kind === "directory");
  for (const { path: child } of inner.reverse()) rmdirSync(fsPath(directory, child));
  rmdirSync(fsPath(directory, path));
}

/** Deletes a file that may not be there. It looks first: an error costs ten times as much. */
export function removeIfThere(place: string | Buffer): void {
  try {
    if (lstatSync(place, { throwIfNoEntry: false }) !== undefined) unlinkSync(place);
  } catch (error) {
    if (!["ENOENT", "ENOTDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
