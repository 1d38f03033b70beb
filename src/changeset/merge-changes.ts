/**
 * Merges what several steps changed into one changeset over the base that they share. A step that builds on another one saw its
 * changes, so its own stand; where steps ran beside each other, their states of a path are merged three-way. Pure apart from the
 * merge of texts, which is handed in.
 *
 * The common base of two states is what both steps found at the path; where they found different states, what the steps that both
 * build on made of it; where there are none, the project's own. Steps that found different states of the project itself are in conflict. A directory that one step left empty and another one filled is filled.
 */

import type { Changeset, ChangesetEntry, FileState } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import type { MergeConflict } from "../core/failure.ts";
import { ok, type Result } from "../core/result.ts";
import { entryOf, parentsOf, sameState, sortEntries } from "./combine-changes.ts";
import { hasContent, type MergeFiles, mergeStates } from "./merge-states.ts";

/** What one step changed. */
export interface ChangeSource {
  readonly step: string;
  /** Every step whose changes this one saw, directly or through others. */
  readonly builtOn: ReadonlySet<string>;
  readonly changes: Changeset;
}

/** One changeset for all. At a path in conflict it has the first step's state. Conflicts are sorted by path. */
export interface MergedChanges {
  readonly changes: Changeset;
  readonly conflicts: readonly MergeConflict[];
}

/** A source's entry for the path in question. */
interface Touch {
  readonly step: string;
  readonly builtOn: ReadonlySet<string>;
  readonly entry: ChangesetEntry;
}

/** What came out for a path, and the steps it is from. */
interface Settled {
  readonly before: FileState | undefined;
  readonly state: FileState | undefined;
  readonly steps: readonly string[];
  readonly conflict?: MergeConflict;
}

/**
 * The state after all sources, over the base. Sources are given in topological order: what a source builds on stands before it.
 * What does not go together is a conflict; fails only as `mergeFiles` does.
 */
export async function mergeChangesets(sources: readonly ChangeSource[], mergeFiles: MergeFiles): Promise<Result<MergedChanges>> {
  const [only] = sources;
  if (only === undefined) return ok({ changes: [], conflicts: [] });
  if (sources.length === 1) return ok({ changes: only.changes, conflicts: [] });
  const all = new Map<string, Settled>();
  for (const [path, touches] of touchesByPath(sources)) {
    const settled = await mergePath(path, touches, mergeFiles);
    if (!settled.ok) return settled;
    all.set(path, settled.value);
  }
  return ok(assemble(all));
}

function touchesByPath(sources: readonly ChangeSource[]): ReadonlyMap<string, readonly Touch[]> {
  const touches = new Map<string, Touch[]>();
  for (const { step, builtOn, changes } of sources) {
    for (const entry of changes) {
      const known = touches.get(entry.path);
      if (known === undefined) touches.set(entry.path, [{ step, builtOn, entry }]);
      else known.push({ step, builtOn, entry });
    }
  }
  return touches;
}

/** Merges what is at one path, in the given order. After a conflict it goes no further. */
async function mergePath(path: string, touches: readonly Touch[], mergeFiles: MergeFiles): Promise<Result<Settled>> {
  const heads = touches.filter(({ step }) => !touches.some(({ builtOn }) => builtOn.has(step)));
  const before = touches[0]?.entry.before;
  const other = otherStart(touches);
  if (other !== undefined) {
    const steps = [...touches.slice(0, 1), other].map(({ step }) => step);
    return ok({
      before,
      state: undefined,
      steps,
      conflict: { path, steps, detail: "they started from different versions of it in the project" },
    });
  }
  let merged: Settled = { before, state: heads[0]?.entry.after, steps: heads.slice(0, 1).map(({ step }) => step) };
  for (const [at, head] of heads.entries()) {
    if (at === 0) continue;
    const base = await commonBase(path, touches, heads.slice(0, at), head, mergeFiles);
    if (!base.ok) return base;
    const ours = { label: merged.steps.join("+"), state: merged.state };
    const found = await mergeStates(base.value, ours, { label: head.step, state: head.entry.after }, mergeFiles);
    if (!found.ok) return found;
    const steps = [...merged.steps, head.step];
    if (found.value.kind === "conflict") {
      const { detail, hunk } = found.value;
      return ok({ ...merged, conflict: { path, steps, detail, ...defined({ hunk }) } });
    }
    const { state, from } = found.value;
    merged = { before, state, steps: from === "both" ? steps : from === "ours" ? merged.steps : [head.step] };
  }
  return ok(merged);
}

/** A step that found another file in the project than the first one did. An empty directory has no bytes to lose. */
function otherStart(touches: readonly Touch[]): Touch | undefined {
  const roots = touches.filter(({ builtOn }) => !touches.some(({ step }) => builtOn.has(step)));
  const hasBytes = (state: FileState | undefined) => state !== undefined && "digest" in state;
  const first = touches[0]?.entry.before;
  return roots.find(({ entry: { before } }) => !sameState(before, first) && (hasBytes(before) || hasBytes(first)));
}

/** What the steps merged so far and the next one both go back to. */
async function commonBase(
  path: string,
  touches: readonly Touch[],
  merged: readonly Touch[],
  next: Touch,
  mergeFiles: MergeFiles,
): Promise<Result<FileState | undefined>> {
  if (merged.every(({ entry }) => sameState(entry.before, next.entry.before))) return ok(next.entry.before);
  const shared = touches.filter(({ step }) => next.builtOn.has(step) && merged.some(({ builtOn }) => builtOn.has(step)));
  if (shared.length === 0) return ok(touches[0]?.entry.before);
  const settled = await mergePath(path, shared, mergeFiles);
  return settled.ok ? ok(settled.value.state) : settled;
}

function assemble(all: ReadonlyMap<string, Settled>): MergedChanges {
  const filled = new Set([...all].flatMap(([path, { state }]) => (state === undefined ? [] : parentsOf(path))));
  const entries: ChangesetEntry[] = [];
  const conflicts: MergeConflict[] = [];
  for (const [path, { before, state, steps, conflict }] of all) {
    if (conflict !== undefined) conflicts.push(conflict);
    else if (hasContent(state) && filled.has(path)) conflicts.push(nested(path, steps, all));
    const entry = entryOf(path, before, state?.mode === "040000" && filled.has(path) ? undefined : state);
    if (entry !== undefined) entries.push(entry);
  }
  return { changes: sortEntries(entries), conflicts: conflicts.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)) };
}

/** One step left a file where another one needs a directory. */
function nested(path: string, steps: readonly string[], all: ReadonlyMap<string, Settled>): MergeConflict {
  const below = [...all].find(([other, { state }]) => state !== undefined && other.startsWith(`${path}/`));
  const [inner = path, settled] = below ?? [];
  const both = [...new Set([...steps, ...(settled?.steps ?? [])])];
  return { path, steps: both, detail: `one left a file there, another one \`${inner}\` in a directory of that name` };
}
