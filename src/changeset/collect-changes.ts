/**
 * Collects an attempt's changes: compares the tree it started with and the tree it left, returns the changeset, and stores
 * the bytes of both sides as blobs. Every kind of workspace produces the same changeset, byte for byte, for the same
 * edits.
 *
 * Excluded are the files of repositories (`.git`), state, ignored files (unless included), owners, times, extended
 * attributes, modes other than the executable bit, and pipes, sockets and devices. A directory that contains only such
 * things is neither filled nor empty: it has an entry only if something else in it appeared or disappeared.
 */
import type { Stats } from "node:fs";
import type { Changeset, ChangesetEntry, FileState } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import type { AttemptChanges, BlobStore, Redactor } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { describeIoError } from "../platform/files.ts";
import { isGitName, pathToBytes } from "../text/path-bytes.ts";
import { hasOwnRules, withRulesOf } from "./attempt-rules.ts";
import { type IncludedFiles, openBeforeStates } from "./before-state.ts";
import { entryOf, parentsOf, sortEntries } from "./combine-changes.ts";
import { grantOwnerAccess, type RestoreList, restoreModes, shown } from "./disk.ts";
import { type CopySource, copyEnd, type EndTree, type OverlaySource, overlayEnd } from "./end-trees.ts";
import { type EndEntry, type FoundChanges, findChanges } from "./find-changes.ts";
import { type IgnoreRules, openIgnoreRules } from "./ignored-paths.ts";
import { inParallel } from "./in-parallel.ts";
import type { ProjectStart } from "./project-start.ts";
import { defaultFileBytes, type EntryContent, readEntry } from "./read-entry.ts";
import { openStartTree, type StartTree } from "./start-tree.ts";

/** The trees to compare, and the stores. */
export interface ChangesRequest {
  /** The project's directory, absolute. */
  readonly root: string;
  /** The changes applied over it when the attempt started; their bytes are in `blobs`. */
  readonly start: Changeset;
  readonly source: OverlaySource | CopySource;
  /** Whether a file of the start was hidden from the attempt. It stays unless the attempt wrote it. */
  readonly hidden?: (path: string) => boolean;
  /** Paths that are not part of the project's tree: state. Everything below them is excluded too. */
  readonly isExcluded: (path: string) => boolean;
  /** Ignored files that are collected. Defaults to none. */
  readonly ignored?: CollectedIgnored;
  readonly blobs: BlobStore;
  readonly redactor: Redactor;
  /** The project before the run's first attempt. Undefined if only the attempt can have changed it. */
  readonly project?: ProjectStart;
  /** The largest file, in bytes. Defaults to 1 GiB. */
  readonly limits?: { readonly fileBytes: number };
}

export interface CollectedIgnored {
  /** Globs of ignored paths that are collected. */
  readonly include?: readonly string[];
  /** Whether git has rules for the project. Defaults to a query. */
  readonly isKnownToGit?: () => Promise<boolean>;
  /** The files that `include` matched when the attempt started. */
  readonly before?: IncludedFiles;
}

/** The changes, and the pipes, sockets and devices among them that cannot be kept. */
export interface CollectedChanges extends AttemptChanges {
  readonly skipped: readonly string[];
}

interface CollectState {
  readonly request: ChangesRequest;
  readonly rules: IgnoreRules;
  readonly start: StartTree;
  readonly end: EndTree;
  readonly found: FoundChanges;
  readonly widened: RestoreList;
  readonly beforeAt: ReturnType<typeof openBeforeStates>;
  /** Paths that something else changed and whose earlier state is unknown. Grows during the comparison. */
  readonly outside: string[];
}

const width = 16;
const emptyDirectory: FileState = { mode: "040000" };
const hint = "the step started from other versions of them; `wave resume` runs it again with the project's current versions";

/**
 * Collects the changes. No process may run in the workspace any more. Fails with `changeset-refused` (a file too large or
 * unreadable), `secret-leaked` (a secret in a new content or a name), `project-changed` (something else changed a file
 * meanwhile, and the attempt's original version is unknown), `workspace-failed` and `state-unwritable`. For files that
 * contained a secret before, only the digest is kept.
 */
export async function collectChanges(request: ChangesRequest): Promise<Result<CollectedChanges>> {
  const widened: RestoreList = [];
  try {
    const start = openStartTree(request.root, request.start);
    const { source, isExcluded } = request;
    const rules = openIgnoreRules(request.root, request.ignored?.include ?? [], request.ignored?.isKnownToGit);
    const foresee = (nodes: ReadonlyMap<string, Stats>) =>
      rules.foresee(
        [...nodes]
          .filter(([path]) => !isGitName(path.slice(path.lastIndexOf("/") + 1)))
          .map(([path, stats]) => ({ path, isDirectory: stats.isDirectory() })),
      );
    const end = source.kind === "copy" ? ok(copyEnd(source, widened)) : await overlayEnd(source, start, isExcluded, widened, foresee);
    if (!end.ok) return end;
    const found = await findChanges({ start, end: end.value, hidden: request.hidden ?? (() => false), isExcluded });
    const beforeAt = openBeforeStates({ ...request, ...defined({ included: request.ignored?.before }), start, limit: fileLimit(request) });
    return await collect({ request, rules, start, end: end.value, found, widened, beforeAt, outside: [] });
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return workspaceFailed(code, `the workspace cannot be read: ${detail}`);
  } finally {
    restoreModes(widened);
  }
}

function fileLimit({ limits }: ChangesRequest): number {
  return limits?.fileBytes ?? defaultFileBytes;
}

async function collect(state: CollectState): Promise<Result<CollectedChanges>> {
  const { found } = state;
  const left = await ignoredPaths(state);
  if (!left.ok) return left;
  const { ignored } = left.value;
  const wanted = [...found.entries].filter(([path]) => !ignored.has(path)).sort(([a], [b]) => (a < b ? -1 : 1));
  const entries = await each(wanted, ([path, entry]) => entryAt(state, path, entry));
  if (!entries.ok) return entries;
  if (state.outside.length > 0) return err({ reason: "project-changed", paths: state.outside.map(shown).sort(), hint });
  const changes = dropEmptyDirectories(
    state,
    entries.value.filter((entry) => entry !== undefined),
  );
  const skipped = found.skipped.filter((path) => !ignored.has(path));
  return ok({ changes: sortEntries(changes), skipped: skipped.map(shown).sort(), ignored: excluded(left.value, found) });
}

interface IgnoredPaths {
  readonly ignored: ReadonlySet<string>;
  /** Paths that only a rule of the attempt, or of a step before it, ignores. */
  readonly byOwnRules: ReadonlySet<string>;
}

/**
 * The paths to exclude. A changed `.gitignore` counts with its content at the end, except for paths that earlier steps
 * handed over: a new rule does not drop a change to one of them.
 */
async function ignoredPaths({ request, rules, start, end, found, widened }: CollectState): Promise<Result<IgnoredPaths>> {
  const entries = [...found.entries].map(([path, { kind }]) => ({ path, isDirectory: kind === "empty" || kind === "filled" }));
  const paths = [...entries, ...found.skipped.map((path) => ({ path, isDirectory: false }))];
  const before = await rules.ignored(paths);
  if (!before.ok || !hasOwnRules(found, request.start)) return before.ok ? ok({ ignored: before.value, byOwnRules: new Set() }) : before;
  const { root, blobs } = request;
  const after = await withRulesOf({ root, start, end, found, blobs, widened }, paths, (tree) => rules.ignoredIn(tree, paths));
  if (!after.ok) return after;
  const handedOver = new Set(request.start.map(({ path }) => path));
  const byOwnRules = new Set([...after.value].filter((path) => !before.value.has(path) && !handedOver.has(path)));
  const ignored = new Set([...after.value].filter((path) => before.value.has(path) || byOwnRules.has(path)));
  return ok({ ignored, byOwnRules });
}

/** Printable paths that the attempt's own rules excluded: a directory instead of its content if nothing in it was kept. */
function excluded({ ignored, byOwnRules }: IgnoredPaths, { entries }: FoundChanges): readonly string[] {
  const kept = new Set([...entries.keys()].filter((path) => !ignored.has(path)).flatMap(parentsOf));
  const left = new Set<string>();
  for (const path of byOwnRules) {
    const kind = entries.get(path)?.kind;
    if (kind === "filled") continue;
    const above = parentsOf(path).findLast((parent) => byOwnRules.has(parent) && !kept.has(parent));
    left.add(above !== undefined ? `${shown(above)}/` : kind === "empty" ? `${shown(path)}/` : shown(path));
  }
  return [...left].sort();
}

/** Compares both states of a path, and stores the bytes of both if they differ. */
async function entryAt(state: CollectState, path: string, endEntry: EndEntry): Promise<Result<ChangesetEntry | undefined>> {
  const { request, end, widened, beforeAt } = state;
  const was = await beforeAt(path);
  if (!was.ok) return was;
  if (was.value.kind === "outside") {
    state.outside.push(path);
    return ok(undefined);
  }
  const { before } = was.value;
  if ("stats" in endEntry) grantOwnerAccess(end.directory, path, endEntry.stats, widened);
  const after = "stats" in endEntry ? await readEntry(end.directory, path, endEntry.stats, fileLimit(request)) : ok(undefined);
  if (!after.ok) return after;
  const entry = entryOf(path, before.state, after.value?.state ?? (endEntry.kind === "empty" ? emptyDirectory : undefined));
  if (entry === undefined) return ok(undefined);
  const kept = await keep(request, path, before.content, after.value);
  return kept.ok ? ok(entry) : kept;
}

const nothing = new Uint8Array();

/** Drops entries which only record that a directory contains, or contained, nothing except excluded files. */
function dropEmptyDirectories({ start, found }: CollectState, entries: readonly ChangesetEntry[]): readonly ChangesetEntry[] {
  const parents = (side: "before" | "after") =>
    new Set(entries.flatMap((entry) => (entry[side] === undefined ? [] : parentsOf(entry.path))));
  const [emptied, filled] = [parents("before"), parents("after")];
  return entries.filter(({ path, before, after }) => {
    if (after === undefined && before?.mode === "040000") return found.entries.get(path)?.kind !== "filled" || filled.has(path);
    if (before === undefined && after?.mode === "040000") return start.at(path).kind !== "directory" || emptied.has(path);
    return true;
  });
}

async function keep(
  { blobs, redactor }: ChangesRequest,
  path: string,
  before: EntryContent | undefined,
  after: EntryContent | undefined,
): Promise<Result<void>> {
  const leaked = (kind: string) => err({ reason: "secret-leaked", artifact: redactor.text(shown(path)), kind } as const);
  const named = redactor.kindOf(pathToBytes(path));
  if (named !== undefined) return leaked(named);
  const was = await before?.bytes();
  for (const content of [after, before]) {
    if (content === undefined) continue;
    const bytes = content === before && was !== undefined ? was : await content.bytes();
    // A file that already contained a token before the change leaks nothing new.
    const added = content === after ? redactor.newKindOf(bytes, was ?? nothing) : undefined;
    if (added !== undefined) return leaked(added);
    if (redactor.finds(bytes)) continue;
    const put = await blobs.put(bytes);
    if (!put.ok) return put;
    if (put.value.digest !== content.state.digest) {
      return workspaceFailed("EBUSY", `\`${shown(path)}\` changed while it was read`);
    }
  }
  return ok(undefined);
}

/** Runs `work` on each thing. Returns the first failure, if any. */
async function each<T, R>(things: readonly T[], work: (thing: T) => Promise<Result<R>>): Promise<Result<readonly R[]>> {
  const results = await inParallel(things, width, work, (result) => !result.ok);
  const values: R[] = [];
  for (const result of results) {
    if (result === undefined) continue;
    if (!result.ok) return result;
    values.push(result.value);
  }
  return ok(values);
}
