/**
 * What was at a path before an attempt: from the changes that the attempt started with, or from the project as it was then. The disk is trusted
 * only where nothing on it was changed since.
 */
import type { Stats } from "node:fs";
import type { FileState } from "../core/changeset.ts";
import { ok, type Result } from "../core/result.ts";
import { parentsOf } from "./combine-changes.ts";
import { lstatAt } from "./disk.ts";
import type { ProjectStart, StartFile } from "./project-start.ts";
import { type EntryContent, held, readEntry } from "./read-entry.ts";
import type { StartNode, StartTree } from "./start-tree.ts";

/** A state before an attempt; `content` if it is not part of the changes that the attempt started with. */
export interface Before {
  readonly state?: FileState;
  readonly content?: EntryContent;
}

/** Where before-states come from. */
export interface BeforeRequest {
  readonly root: string;
  readonly start: StartTree;
  /** Undefined if nothing but the attempt can have changed the project. */
  readonly project?: ProjectStart;
  /** Ignored paths that the changeset includes, with their facts when the attempt started. */
  readonly included?: IncludedFiles;
  /** The largest file, in bytes. */
  readonly limit: number;
}

/** Ignored files that a changeset includes, as they were when the attempt started. */
export interface IncludedFiles {
  matches(path: string): boolean;
  /** Whether the file is the one that was there; undefined if there was none. */
  isSame(path: string, stats: Stats | undefined): boolean | undefined;
}

/** `outside`: the path was changed by something else, and its state before that is not known. */
export type BeforeState = { readonly kind: "known"; readonly before: Before } | { readonly kind: "outside" };

const outside: BeforeState = { kind: "outside" };
const emptyDirectory: FileState = { mode: "040000" };

/**
 * Opens the states before one attempt. Looking up a path fails as reading a file's content does, and throws the file system's errors. The project is
 * not expected to change its directories while paths are looked up.
 */
export function openBeforeStates(request: BeforeRequest): (path: string) => Promise<Result<BeforeState>> {
  const known = new Map<string, Stats | undefined>();
  const directory = (path: string) => {
    if (!known.has(path)) known.set(path, lstatAt(request.root, path));
    return known.get(path);
  };
  return (path) => beforeState(request, path, directory);
}

type LookAtDirectory = (path: string) => Stats | undefined;

async function beforeState(request: BeforeRequest, path: string, directory: LookAtDirectory): Promise<Result<BeforeState>> {
  const { root, start, project, included } = request;
  const node = start.at(path);
  if (project === undefined || start.isDecided(path)) return onDisk(request, path, node);
  const stats = node.kind === "disk" ? node.stats : lstatAt(root, path);
  const known = project.fileAt(path);
  if (known.kind === "absent" && included?.matches(path) === true) {
    const same = included.isSame(path, node.kind === "disk" ? stats : undefined);
    if (same === undefined) return ok(found(node.kind === "directory" ? directoryState(start, path) : {}));
    return same ? onDisk(request, path, node) : ok(outside);
  }
  if (!mayBeChanged(path, stats, project, directory)) return onDisk(request, path, node);
  return fromStart(request, project, path, node, known);
}

async function fromStart(
  request: BeforeRequest,
  project: ProjectStart,
  path: string,
  node: StartNode,
  known: StartFile,
): Promise<Result<BeforeState>> {
  const isOwnChange = node.kind !== "disk" || project.isLater(node.stats);
  switch (known.kind) {
    case "absent":
      return ok(found(node.kind === "directory" ? directoryState(request.start, path) : {}));
    case "content":
      return ok(found({ state: known.content.state, content: known.content }));
    case "blob": {
      const now = node.kind === "disk" ? await readEntry(request.root, path, node.stats, request.limit) : ok(undefined);
      if (!now.ok) return now;
      const bytes = await now.value?.bytes();
      if (bytes !== undefined && project.idOf(bytes) === known.id) {
        // Where git does not record modes, the one in its index is not that of the file: only a change to the file itself counts.
        const mode = isOwnChange ? known.mode : (now.value?.state.mode ?? known.mode);
        return ok(found(contentOf(mode, bytes, now.value?.state)));
      }
      const before = await project.blob(known.id);
      return ok(before === undefined ? outside : found(contentOf(known.mode, before)));
    }
    case "unknown":
      return isOwnChange ? ok(outside) : onDisk(request, path, node);
  }
}

async function onDisk({ root, start, limit }: BeforeRequest, path: string, node: StartNode): Promise<Result<BeforeState>> {
  if (node.kind === "kept") return ok(found({ state: node.state }));
  if (node.kind === "directory") return ok(found(directoryState(start, path)));
  if (node.kind !== "disk") return ok(found({}));
  const content = await readEntry(root, path, node.stats, limit);
  return content.ok ? ok(found({ state: content.value.state, content: content.value })) : content;
}

/**
 * Whether what is at a path may have been changed since the start: the file itself, a directory above it that may have been moved there, or, if
 * there is no file, the directory that it may have been removed from.
 */
function mayBeChanged(path: string, stats: Stats | undefined, project: ProjectStart, directory: LookAtDirectory): boolean {
  let deepest = "";
  for (const parent of parentsOf(path).reverse()) {
    const above = directory(parent);
    if (above === undefined) break;
    if (project.isLater(above)) return true;
    if (!above.isDirectory()) return false;
    deepest = parent;
  }
  const decisive = stats ?? directory(deepest);
  return decisive === undefined || project.isLater(decisive);
}

function directoryState(start: StartTree, path: string): Before {
  return start.children(path).length === 0 ? { state: emptyDirectory } : {};
}

function contentOf(mode: EntryContent["state"]["mode"], bytes: Uint8Array, now?: EntryContent["state"]): Before {
  const content = held(mode, bytes, now);
  return { state: content.state, content };
}

function found(before: Before): BeforeState {
  return { kind: "known", before };
}
