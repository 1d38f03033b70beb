/**
 * Finds the state of a path before an attempt: from the changes that the attempt started with, or from the project at that
 * time. The file on disk counts only if nothing changed it since.
 */
import type { Stats } from "node:fs";
import type { FileState } from "../core/changeset.ts";
import { ok, type Result } from "../core/result.ts";
import { parentsOf } from "./combine-changes.ts";
import { lstatAt } from "./disk.ts";
import type { ProjectStart, StartFile } from "./project-start.ts";
import { contentOfBytes, type EntryContent, readEntry } from "./read-entry.ts";
import type { StartNode, StartTree } from "./start-tree.ts";

/** A state before an attempt. `content` is set unless the changes that the attempt started with contain the path. */
export interface Before {
  readonly state?: FileState;
  readonly content?: EntryContent;
}

/** The sources of states before an attempt. */
export interface BeforeRequest {
  readonly root: string;
  readonly start: StartTree;
  /** Undefined if only the attempt can have changed the project. */
  readonly project?: ProjectStart;
  /** Ignored paths that the changeset includes, with their stat data when the attempt started. */
  readonly included?: IncludedFiles;
  /** The largest file, in bytes. */
  readonly limit: number;
}

/** Ignored files that a changeset includes, as recorded when the attempt started. */
export interface IncludedFiles {
  matches(path: string): boolean;
  /** Whether the file is unchanged; undefined if there was none. */
  isSame(path: string, stats: Stats | undefined): boolean | undefined;
}

/** `outside`: something else changed the path, and its earlier state is unknown. */
export type BeforeState = { readonly kind: "known"; readonly before: Before } | { readonly kind: "outside" };

const outside: BeforeState = { kind: "outside" };
const emptyDirectory: FileState = { mode: "040000" };

/**
 * Opens the states before one attempt. A lookup fails like reading a file's content, and throws file system errors. The
 * project must not change its directories meanwhile.
 */
export function openBeforeStates(request: BeforeRequest): (path: string) => Promise<Result<BeforeState>> {
  const known = new Map<string, Stats | undefined>();
  const directory = (path: string) => {
    if (!known.has(path)) known.set(path, lstatAt(request.root, path));
    return known.get(path);
  };
  return (path) => beforeState(request, path, directory);
}

type DirectoryStats = (path: string) => Stats | undefined;

async function beforeState(request: BeforeRequest, path: string, directory: DirectoryStats): Promise<Result<BeforeState>> {
  const { root, start, project, included } = request;
  const node = start.at(path);
  if (project === undefined || start.isDecided(path)) return onDisk(request, path, node);
  const stats = node.kind === "disk" ? node.stats : lstatAt(root, path);
  const known = project.fileAt(path);
  if (known.kind === "absent" && included?.matches(path) === true) {
    const same = included.isSame(path, node.kind === "disk" ? stats : undefined);
    if (same === undefined) return ok(knownState(node.kind === "directory" ? directoryState(start, path) : {}));
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
      return ok(knownState(node.kind === "directory" ? directoryState(request.start, path) : {}));
    case "content":
      return ok(knownState({ state: known.content.state, content: known.content }));
    case "blob": {
      const now = node.kind === "disk" ? await readEntry(request.root, path, node.stats, request.limit) : ok(undefined);
      if (!now.ok) return now;
      const bytes = await now.value?.bytes();
      if (bytes !== undefined && project.idOf(bytes) === known.id) {
        // If git does not record modes, the one in its index is not the file's: only a change to the file itself counts.
        const mode = isOwnChange ? known.mode : (now.value?.state.mode ?? known.mode);
        return ok(knownState(contentOf(mode, bytes, now.value?.state)));
      }
      const before = await project.blob(known.id);
      return ok(before === undefined ? outside : knownState(contentOf(known.mode, before)));
    }
    case "unknown":
      return isOwnChange ? ok(outside) : onDisk(request, path, node);
  }
}

async function onDisk({ root, start, limit }: BeforeRequest, path: string, node: StartNode): Promise<Result<BeforeState>> {
  if (node.kind === "kept") return ok(knownState({ state: node.state }));
  if (node.kind === "directory") return ok(knownState(directoryState(start, path)));
  if (node.kind !== "disk") return ok(knownState({}));
  const content = await readEntry(root, path, node.stats, limit);
  return content.ok ? ok(knownState({ state: content.value.state, content: content.value })) : content;
}

/**
 * Whether the state of a path may have changed since the start: the file itself, a parent directory that may have been
 * moved there, or, without a file, the directory from which it may have been removed.
 */
function mayBeChanged(path: string, stats: Stats | undefined, project: ProjectStart, directory: DirectoryStats): boolean {
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
  const content = contentOfBytes(mode, bytes, now);
  return { state: content.state, content };
}

function knownState(before: Before): BeforeState {
  return { kind: "known", before };
}
