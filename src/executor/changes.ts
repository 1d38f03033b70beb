/** The changes of a run's steps: the changeset that a step starts from, and the merged changes of all. Does not write to the project. */

import { compose } from "../changeset/combine-changes.ts";
import { mergeChangesets } from "../changeset/merge-changes.ts";
import { collectUpstream, type UpstreamChanges, upstreamIds } from "../changeset/upstream-changes.ts";
import type { Changeset } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import { withDenials } from "../core/denial.ts";
import type { ChangesRef } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { denyingRules, isAllowed } from "../core/permissions.ts";
import type { Step } from "../core/pipeline.ts";
import type { Plan } from "../core/plan.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { CachedOutput, ChangesPort } from "./context.ts";

const noChanges: UpstreamChanges = new Map();

export class RunChanges {
  readonly #plan: Plan;
  readonly #port: ChangesPort;
  /** By step. Steps that changed nothing are not in it. */
  readonly #changes = new Map<string, ChangesRef>();
  readonly #upstream = new Map<string, UpstreamChanges>();

  constructor(plan: Plan, port: ChangesPort) {
    this.#plan = plan;
    this.#port = port;
  }

  get isEmpty(): boolean {
    return this.#changes.size === 0;
  }

  /** Records the changes of a passed step. Everything upstream of it must have ended. */
  record(step: Step, changes: ChangesRef | undefined): void {
    this.upstreamOf(step);
    if (changes !== undefined) this.#changes.set(step.id, changes);
  }

  /** The changes that a step builds on. Everything upstream of it must have ended. */
  upstreamOf(step: Step): UpstreamChanges {
    const known = this.#upstream.get(step.id);
    if (known !== undefined) return known;
    const upstream = collectUpstream(
      upstreamIds(step).map((id) => {
        const changes = this.#changes.get(id);
        return { id, builtOn: this.#upstream.get(id) ?? noChanges, ...defined({ changes: changes?.digest }) };
      }),
    );
    this.#upstream.set(step.id, upstream);
    return upstream;
  }

  /** The changeset over the project that a step starts from. Fails with `merge-conflict` if parallel steps conflict, and as reading blobs does. */
  async startOf(step: Step): Promise<Result<Changeset>> {
    const merged = await this.#merge([...this.upstreamOf(step).keys()]);
    if (!merged.ok) return merged.error.reason === "merge-conflict" ? err({ ...merged.error, step: step.id }) : merged;
    return ok(compose(this.#port.rollback, merged.value));
  }

  /** `startOf`, with the changes of a cached result on top. */
  async startWithCached(step: Step, cached: CachedOutput): Promise<Result<Changeset>> {
    const start = await this.startOf(step);
    if (!start.ok || cached.changes === undefined) return start;
    const changes = await this.#port.read(cached.changes.digest);
    return changes.ok ? ok(compose(start.value, changes.value)) : changes;
  }

  /** Whether the changeset of a step's output and the blobs of its files exist. */
  async hasAllBlobs({ changes: ref }: { readonly changes?: ChangesRef }): Promise<boolean> {
    if (ref === undefined) return true;
    const changes = await this.#port.read(ref.digest);
    return changes.ok && this.#port.hasAllBlobs(changes.value);
  }

  /** Whether the changes of a cached result apply here: their blobs exist, and the files they change are in the states before them. */
  async canReuse(step: Step, cached: CachedOutput): Promise<boolean> {
    if (cached.changes === undefined) return true;
    if (!(await this.hasAllBlobs(cached))) return false;
    const after = await this.startWithCached(step, cached);
    return after.ok && this.#port.matchesDisk(after.value);
  }

  /** The merged changes of all passed steps, over the run's base. Fails as `startOf` does. */
  mergeAll(): Promise<Result<Changeset>> {
    return this.#merge([...this.#changes.keys()]);
  }

  /** The order of `ids` does not matter. */
  async #merge(ids: readonly string[]): Promise<Result<Changeset>> {
    if (ids.length === 0) return ok([]);
    const wanted = new Set(ids);
    const sources: { step: string; builtOn: ReadonlySet<string>; changes: Changeset }[] = [];
    for (const { step } of this.#plan.steps) {
      const ref = wanted.has(step.id) ? this.#changes.get(step.id) : undefined;
      if (ref === undefined) continue;
      const changes = await this.#port.read(ref.digest);
      if (!changes.ok) return changes;
      sources.push({ step: step.id, builtOn: new Set(this.#upstream.get(step.id)?.keys()), changes: changes.value });
    }
    const merged = await mergeChangesets(sources, this.#port.mergeFiles);
    if (!merged.ok) return merged;
    if (merged.value.conflicts.length === 0) return ok(merged.value.changes);
    return err({ reason: "merge-conflict", conflicts: merged.value.conflicts });
  }
}

/** The failure of an attempt that wrote files its step may not write. Undefined if it kept to its permissions. */
export function writeViolation(step: Step, changes: Changeset): Failure | undefined {
  if (step.changes === "none") return { reason: "write-denied", paths: changes.map(({ path }) => path), rule: "changes: none" };
  const paths = changes.filter(({ path }) => !isAllowed(step.permissions, "file_write", path)).map(({ path }) => path);
  if (paths.length === 0) return undefined;
  const denials = paths.map((path) => ({ access: `writing ${path}`, rules: denyingRules(step.permissions, "file_write", path) ?? [] }));
  return withDenials({ reason: "write-denied", paths }, denials);
}
