/** What some steps of a finished run changed together: the changesets of those that stay when others are undone. */

import { type ChangeSource, mergeChangesets } from "../changeset/merge-changes.ts";
import { mergeFilesWith } from "../changeset/merge-files.ts";
import { readChangeset } from "../changeset/read-changeset.ts";
import { collectUpstream, type UpstreamChanges } from "../changeset/upstream-changes.ts";
import type { Changeset } from "../core/changeset.ts";
import type { Digest } from "../core/digest.ts";
import { topologicalOrder } from "../core/graph.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import type { RunStore } from "./open-project.ts";

/**
 * The changes of a run's passed steps over its base, but for the steps that are `undone`. Merged anew from what each step changed: what an undone
 * step made of a file is nowhere in it. Fails with `merge-conflict`, and as reading blobs does.
 */
export async function mergeExcluding({ blobs }: RunStore, run: RunRecord, rolledBack: ReadonlySet<string>): Promise<Result<Changeset>> {
  const byId = new Map(run.steps.map((step) => [step.id, step]));
  const below = new Map<string, UpstreamChanges>();
  const sources: ChangeSource[] = [];
  for (const id of topologicalOrder([...byId.keys()], (step) => byId.get(step)?.dependencies ?? [])) {
    const step = byId.get(id);
    if (step === undefined) continue;
    const built = collectUpstream(step.dependencies.map((up) => ({ id: up, builtOn: below.get(up) ?? new Map(), ...changesOf(up) })));
    below.set(id, built);
    const { changes: digest } = changesOf(id);
    if (digest === undefined) continue;
    const changes = await readChangeset(blobs, digest);
    if (!changes.ok) return changes;
    sources.push({ step: id, builtOn: new Set(built.keys()), changes: changes.value });
  }
  const merged = await mergeChangesets(sources, mergeFilesWith(blobs));
  if (!merged.ok) return merged;
  const { changes, conflicts } = merged.value;
  return conflicts.length === 0 ? ok(changes) : err({ reason: "merge-conflict", conflicts });

  function changesOf(id: string): { changes?: Digest } {
    const step = byId.get(id);
    return step?.status !== "passed" || step.changes === undefined || rolledBack.has(id) ? {} : { changes: step.changes.digest };
  }
}
