/**
 * Merges the changes of several steps into one changeset over their common base. The changes of a step that builds on
 * another one take precedence, because it saw them; states from concurrent steps are merged three-way. Pure, except for
 * merging texts, which the caller provides.
 *
 * The common base of two states is the state that both steps found at the path. If they found different states, it is the
 * merged result of the steps that both build on; without such steps, it is the project's own. Steps that found different
 * states of the project itself are in conflict. A directory that one step left empty and another one filled is filled.
 */

import type { Changeset, ChangesetEntry, FileState } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import type { MergeConflict } from "../core/failure.ts";
import { ok, type Result } from "../core/result.ts";
import { entryOf, parentsOf, sameState, sortEntries } from "./combine-changes.ts";
import { hasContent, type MergeFiles, mergeStates } from "./merge-states.ts";

/** The changes of one step. */
export interface ChangeSource {
  readonly step: string;
  /** Every step whose changes this one saw, directly or through others. */
  readonly builtOn: ReadonlySet<string>;
  readonly changes: Changeset;
}

/** One changeset for all. A path in conflict has the first step's state. Conflicts are sorted by path. */
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

/** The merged state of a path, and the steps it comes from. */
interface MergedPath {
  readonly before: FileState | undefined;
  readonly state: FileState | undefined;
  readonly steps: readonly string[];
  readonly conflict?: MergeConflict;
}

/**
 * The state after all sources, over the base. Sources are in topological order: a source comes after those it builds on.
 * Incompatible changes are conflicts; fails only like `mergeFiles`.
 */
export async function mergeChangesets(sources: readonly ChangeSource[], mergeFiles: MergeFiles): Promise<Result<MergedChanges>> {
  const [only] = sources;
  if (only === undefined) return ok({ changes: [], conflicts: [] });
  if (sources.length === 1) return ok({ changes: only.changes, conflicts: [] });
  const all = new Map<string, MergedPath>();
  for (const [path, touches] of touchesByPath(sources)) {
    const result = await mergePath(path, touches, mergeFiles);
    if (!result.ok) return result;
    all.set(path, result.value);
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

/** Merges the states of one path in the given order, up to the first conflict. */
async function mergePath(path: string, touches: readonly Touch[], mergeFiles: MergeFiles): Promise<Result<MergedPath>> {
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
  let merged: MergedPath = { before, state: heads[0]?.entry.after, steps: heads.slice(0, 1).map(({ step }) => step) };
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

/** A step that found another file in the project than the first step. Empty directories do not count. */
function otherStart(touches: readonly Touch[]): Touch | undefined {
  const roots = touches.filter(({ builtOn }) => !touches.some(({ step }) => builtOn.has(step)));
  const hasBytes = (state: FileState | undefined) => state !== undefined && "digest" in state;
  const first = touches[0]?.entry.before;
  return roots.find(({ entry: { before } }) => !sameState(before, first) && (hasBytes(before) || hasBytes(first)));
}

/** The common base of the steps merged so far and the next one. */
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
  const result = await mergePath(path, shared, mergeFiles);
  return result.ok ? ok(result.value.state) : result;
}

function assemble(all: ReadonlyMap<string, MergedPath>): MergedChanges {
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

/** One step left a file at a path that another one needs as a directory. */
function nested(path: string, steps: readonly string[], all: ReadonlyMap<string, MergedPath>): MergeConflict {
  const below = [...all].find(([other, { state }]) => state !== undefined && other.startsWith(`${path}/`));
  const [inner = path, result] = below ?? [];
  const both = [...new Set([...steps, ...(result?.steps ?? [])])];
  return { path, steps: both, detail: `one step left a file there, another one \`${inner}\` in a directory of that name` };
}
