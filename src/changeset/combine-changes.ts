/**
 * The algebra of changesets. A tree is a set of entries: its files, symlinks and empty directories, each with its state. A
 * directory with content is not an entry; it exists because of its content. The root is never an entry.
 *
 * The changeset from tree A to tree B has one entry per path whose state differs, with `before` from A and `after` from B.
 * Therefore:
 *
 * - Deleting the only file of a directory together with the directory is one entry, for the file. Deleting only the file
 *   is two, because the empty directory becomes an entry (`after: 040000`). The same applies above: a parent that loses
 *   its last child and stays has an entry.
 * - The first file in an empty directory is two entries: the directory is no longer one (`before: 040000`, no `after`).
 * - Replacing a file by a directory is a deletion of the file and additions in the directory.
 * - Applying a deletion removes the parents that it leaves empty, unless an entry keeps them.
 *
 * Over a fixed A, changesets correspond to trees B one to one, so composing, reversing and applying agree by construction.
 */

import type { Changeset, ChangesetEntry, FileState } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import { isDigest } from "../core/digest.ts";
import { err, ok, type Result } from "../core/result.ts";
import { isPathSafe } from "../text/path-bytes.ts";

/** Version of the encoding. */
const version = 1;

/** Whether two states have the same mode and content. Two absent states are the same. */
export function sameState(a: FileState | undefined, b: FileState | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.mode === b.mode && ("digest" in a ? a.digest : "") === ("digest" in b ? b.digest : "");
}

/** An entry for a path; undefined if its states are the same. */
export function entryOf(path: string, before: FileState | undefined, after: FileState | undefined): ChangesetEntry | undefined {
  if (sameState(before, after)) return undefined;
  return { path, ...defined({ before, after }) };
}

/** Sorts entries into the order of changesets. */
export function sortEntries(entries: Iterable<ChangesetEntry>): Changeset {
  return [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** Combines two consecutive changesets into one; changes that cancel out disappear. `second` was made on top of `first`. */
export function compose(first: Changeset, second: Changeset): Changeset {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const all = new Map(first.map((entry) => [entry.path, entry]));
  for (const entry of second) {
    const earlier = all.get(entry.path);
    const merged = earlier === undefined ? entry : entryOf(entry.path, earlier.before, entry.after);
    if (merged === undefined) all.delete(entry.path);
    else all.set(entry.path, merged);
  }
  return sortEntries(all.values());
}

/** The changeset that reverts `changes`. */
export function reverse(changes: Changeset): Changeset {
  return changes.map(({ path, before, after }) => ({
    path,
    ...defined({ before: after, after: before }),
  }));
}

/** Numbers of added, changed and deleted paths, empty directories included. */
export function countsOf(changes: Changeset): { readonly added: number; readonly changed: number; readonly deleted: number } {
  const added = changes.filter(({ before }) => before === undefined).length;
  const deleted = changes.filter(({ after }) => after === undefined).length;
  return { added, changed: changes.length - added - deleted, deleted };
}

/** The directories above a path, deepest first, without the root. */
export function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) parents.push(path.slice(0, slash));
  return parents;
}

/** Encodes a changeset as a blob: versioned JSON, the same bytes for the same changes. */
export function encodeChangeset(changes: Changeset): Uint8Array {
  const entries = changes.map(({ path, before, after }) => ({ path, before: stateFields(before), after: stateFields(after) }));
  return Buffer.from(JSON.stringify({ version, entries }));
}

/**
 * Decodes a changeset. The bytes are untrusted: the result contains only safe paths, each once, and leads between two
 * trees that can exist. The error is the rest of a sentence (`entry 3 has …`).
 */
export function decodeChangeset(bytes: Uint8Array): Result<Changeset, string> {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return err("it is not JSON");
  }
  if (!isRecord(document) || !Array.isArray(document["entries"])) return err("it has no list of entries");
  if (document["version"] !== version) return err(`its version is not ${version}`);
  const entries: ChangesetEntry[] = [];
  for (const [index, given] of document["entries"].entries()) {
    const entry = decodeEntry(given);
    if (!entry.ok) return err(`entry ${index} ${entry.error}`);
    const last = entries.at(-1)?.path;
    if (last !== undefined && last >= entry.value.path) return err(`entry ${index} is out of order or duplicate`);
    entries.push(entry.value);
  }
  const nested = nestedEntry(entries);
  return nested === undefined ? ok(entries) : err(`\`${nested}\` would be both a file and a directory`);
}

function stateFields(state: FileState | undefined): object | undefined {
  if (state === undefined) return undefined;
  if (!("digest" in state)) return { mode: state.mode };
  const { mode, digest, size, permissions } = state;
  return { mode, digest, size, ...defined({ permissions }) };
}

function decodeEntry(given: unknown): Result<ChangesetEntry, string> {
  if (!isRecord(given) || typeof given["path"] !== "string") return err("has no path");
  if (!isPathSafe(given["path"])) return err("has a path that a changeset may not name");
  const before = decodeState(given["before"]);
  const after = decodeState(given["after"]);
  if (before === "unknown" || after === "unknown") return err("has an invalid state");
  if (sameState(before, after)) return err("changes nothing");
  return ok({ path: given["path"], ...defined({ before, after }) });
}

function decodeState(given: unknown): FileState | undefined | "unknown" {
  if (given === undefined) return undefined;
  if (!isRecord(given)) return "unknown";
  const { mode, digest, size, permissions } = given;
  if (mode === "040000") return digest === undefined && size === undefined ? { mode } : "unknown";
  if (mode !== "100644" && mode !== "100755" && mode !== "120000") return "unknown";
  if (typeof digest !== "string" || !isDigest(digest)) return "unknown";
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return "unknown";
  if (permissions === undefined) return { mode, digest, size };
  const isValid = typeof permissions === "number" && Number.isInteger(permissions) && permissions >= 0 && permissions <= 0o777;
  return isValid ? { mode, digest, size, permissions } : "unknown";
}

/** A path that is an entry in one of the two trees although another entry is below it. */
function nestedEntry(changes: Changeset): string | undefined {
  for (const side of ["before", "after"] as const) {
    const entries = new Set(changes.filter((entry) => entry[side] !== undefined).map(({ path }) => path));
    for (const entry of entries) {
      const above = parentsOf(entry).find((parent) => entries.has(parent));
      if (above !== undefined) return above;
    }
  }
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
