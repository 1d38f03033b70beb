/**
 * The project before the first attempt of a process: the source of earlier states for files that were edited while a step
 * ran. Only files that git could not return are read, up to the `limits` below.
 */

import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import type { BaseEntry, BaseListing } from "../core/base.ts";
import { breather } from "../platform/breather.ts";
import { runGit } from "../platform/git.ts";
import { hasEscapes } from "../text/path-bytes.ts";
import { lstatAt } from "./disk.ts";
import { contentOfBytes, type EntryContent, readEntry } from "./read-entry.ts";
import { takeStartStamp } from "./start-stamp.ts";

/** The state of a path. `id`: git's id of the blob. */
export type StartFile =
  | { readonly kind: "content"; readonly content: EntryContent }
  | { readonly kind: "blob"; readonly mode: FileMode; readonly id: string }
  | { readonly kind: "absent" }
  /** A name that is not UTF-8, a file too large to keep, or an unreadable file. */
  | { readonly kind: "unknown" };

type FileMode = EntryContent["state"]["mode"];

/** Paths are relative to the project, with forward slashes. */
export interface ProjectStart {
  /** Whether a path with this stat data may have changed since. */
  isLater(stats: Stats): boolean;
  /** Covers every file that git does not ignore; returns `absent` for an ignored one. */
  fileAt(path: string): StartFile;
  /** Git's id for bytes, of the kind that `fileAt` returns. */
  idOf(bytes: Uint8Array): string;
  /** The bytes of a blob in the project's repository. Undefined if git does not have it. */
  blob(id: string): Promise<Uint8Array | undefined>;
}

const limits = { files: 2000, bytes: 16 * 2 ** 20, fileBytes: 2 ** 20 };
const yieldEvery = 200;

/** `directory`: an empty one of the attempt's, on the same device as the state directory. */
export interface StartRequest {
  readonly root: string;
  readonly directory: string;
  readonly files: BaseListing;
}

/** Records the moment, and reads the files that git could not return. Throws file system errors. */
export async function takeProjectStart({ root, directory, files }: StartRequest): Promise<ProjectStart> {
  const { algorithm, entries, isStored } = files;
  const stamp = await takeStartStamp(root, directory);
  const contents = await readContents(root, entries.filter((entry) => !isStored(entry))); // biome-ignore format: one thought
  let byPath: ReadonlyMap<string, BaseEntry> | undefined;
  const idOf = (bytes: Uint8Array) => createHash(algorithm).update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  return {
    isLater: (stats) => stamp.isLater(stats),
    fileAt(path) {
      byPath ??= new Map(entries.map((entry) => [entry.path, entry]));
      const content = contents.get(path);
      if (content !== undefined) return { kind: "content", content };
      const entry = byPath.get(path);
      if (entry === undefined) return { kind: hasEscapes(path) ? "unknown" : "absent" };
      return isFileMode(entry.mode) && isStored(entry) ? { kind: "blob", mode: entry.mode, id: entry.oid } : { kind: "unknown" };
    },
    idOf,
    async blob(id) {
      const read = await runGit(["cat-file", "blob", id], root);
      // Replacement objects return other bytes under the same id.
      return read.ok && read.value.code === 0 && idOf(read.value.stdout) === id ? read.value.stdout : undefined;
    },
  };
}

async function readContents(root: string, entries: readonly BaseEntry[]): Promise<ReadonlyMap<string, EntryContent>> {
  const contents = new Map<string, EntryContent>();
  const breathe = breather(yieldEvery);
  let bytes = 0;
  for (const { path } of entries) {
    if (contents.size >= limits.files || bytes >= limits.bytes) break;
    const stats = lstatAt(root, path);
    if (stats === undefined || (!stats.isFile() && !stats.isSymbolicLink()) || stats.size > limits.fileBytes) continue;
    const read = await readEntry(root, path, stats);
    if (read.ok) {
      contents.set(path, contentOfBytes(read.value.state.mode, await read.value.bytes(), read.value.state));
      bytes += read.value.state.size;
    }
    await breathe();
  }
  return contents;
}

function isFileMode(mode: string): mode is FileMode {
  return mode === "100644" || mode === "100755" || mode === "120000";
}
