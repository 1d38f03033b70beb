/**
 * What the steps of a run changed: what a step starts from, and what they all changed together. It merges and keeps; it lays
 * nothing out and writes nothing to the project.
 */

import { compose } from "../changeset/combine-changes.ts";
import { mergeChangesets } from "../changeset/merge-changes.ts";
import { collectUpstream, type UpstreamChanges, upstreamIds } from "../changeset/upstream-changes.ts";
import type { Changeset } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import type { ChangesRef } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { isAllowed } from "../core/permissions.ts";
import type { Step } from "../core/pipeline.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { CachedOutput } from "./context.ts";
import type { Run } from "./run-state.ts";

const unchanged: UpstreamChanges = new Map();

/** Notes what a passed step changed, and what it built on. Everything upstream of it has ended. */
export function noteChanges(run: Run, step: Step, changes: ChangesRef | undefined): void {
  builtOnOf(run, step);
  if (changes !== undefined) run.changes.set(step.id, changes);
}

/** What a step builds on, once everything upstream of it has ended. */
export function builtOnOf(run: Run, step: Step): UpstreamChanges {
  const known = run.builtOn.get(step.id);
  if (known !== undefined) return known;
  const built = collectUpstream(
    upstreamIds(step).map((id) => {
      const changes = run.changes.get(id);
      return { id, builtOn: run.builtOn.get(id) ?? unchanged, ...defined({ changes: changes?.digest }) };
    }),
  );
  run.builtOn.set(step.id, built);
  return built;
}

/**
 * What lies over the project when a step begins. Fails with `merge-conflict` where steps that ran beside each other do not go
 * together, and as reading blobs does.
 */
export async function startOf(run: Run, step: Step): Promise<Result<Changeset>> {
  const merged = await mergeOf(run, [...builtOnOf(run, step).keys()]);
  if (!merged.ok) return merged.error.reason === "merge-conflict" ? err({ ...merged.error, step: step.id }) : merged;
  return ok(compose(run.context.changes.rollback, merged.value));
}

/** The same, with the changes of work that is only judged again on top. */
export async function startWith(run: Run, step: Step, work: CachedOutput): Promise<Result<Changeset>> {
  const start = await startOf(run, step);
  if (!start.ok || work.changes === undefined) return start;
  const changes = await run.context.changes.read(work.changes.digest);
  return changes.ok ? ok(compose(start.value, changes.value)) : changes;
}

/** Whether the bytes of what a step changed are all there. */
export async function changesIntact({ context }: Run, left: { readonly changes?: ChangesRef }): Promise<boolean> {
  if (left.changes === undefined) return true;
  const changes = await context.changes.read(left.changes.digest);
  return changes.ok && context.changes.intact(changes.value);
}

/** Whether the changes of earlier work can stand for a step's: their bytes are there, and what they change is as it was then. */
export async function changesStand(run: Run, step: Step, work: CachedOutput): Promise<boolean> {
  if (work.changes === undefined) return true;
  if (!(await changesIntact(run, work))) return false;
  const after = await startWith(run, step, work);
  return after.ok && run.context.changes.holds(after.value);
}

/** What all steps that passed changed together, over the run's base. Fails as `startOf` does. */
export function changesOfRun(run: Run): Promise<Result<Changeset>> {
  return mergeOf(run, [...run.changes.keys()]);
}

/** The changes of some steps as one changeset. The steps' order does not matter. */
async function mergeOf(run: Run, steps: readonly string[]): Promise<Result<Changeset>> {
  if (steps.length === 0) return ok([]);
  const wanted = new Set(steps);
  const sources: { step: string; builtOn: ReadonlySet<string>; changes: Changeset }[] = [];
  for (const { step } of run.context.plan.steps) {
    const ref = wanted.has(step.id) ? run.changes.get(step.id) : undefined;
    if (ref === undefined) continue;
    const changes = await run.context.changes.read(ref.digest);
    if (!changes.ok) return changes;
    sources.push({ step: step.id, builtOn: new Set(run.builtOn.get(step.id)?.keys()), changes: changes.value });
  }
  const merged = await mergeChangesets(sources, run.context.changes.mergeFiles);
  if (!merged.ok) return merged;
  if (merged.value.conflicts.length === 0) return ok(merged.value.changes);
  return err({ reason: "merge-conflict", conflicts: merged.value.conflicts });
}

/** The failure of an attempt that changed what its step may not write; nothing when it kept to its permissions. */
export function writeViolation(step: Step, changes: Changeset): Failure | undefined {
  if (step.changes === "none") return { reason: "write-denied", paths: changes.map(({ path }) => path), rule: "changes: none" };
  const paths = changes.filter(({ path }) => !isAllowed(step.permissions, "file_write", path)).map(({ path }) => path);
  return paths.length === 0 ? undefined : { reason: "write-denied", paths };
}
