/**
 * Creates a plan: order, dependents, critical path, and for each step whether a cached result can be reused. Pure. Expects a
 * validated pipeline (no cycles, every dependency exists).
 */

import { collectUpstream, digestUpstream, type UpstreamChanges, upstreamIds } from "../changeset/upstream-changes.ts";
import { defined } from "../core/defined.ts";
import type { Digest } from "../core/digest.ts";
import { enforcementOf, type SandboxSupport } from "../core/enforcement.ts";
import type { BaseRef } from "../core/event.ts";
import { topologicalOrder } from "../core/graph.ts";
import type { Pipeline, Step } from "../core/pipeline.ts";
import type { Plan, PlannedStep, PlannedWork } from "../core/plan.ts";
import type { ContractFile } from "../core/ports.ts";
import type { CachedResult } from "../core/state.ts";
import { findCachedResult } from "./find-cached-result.ts";
import { contractFilesOf, fingerprintBase, fingerprintStep } from "./fingerprint.ts";

/** The inputs of a plan. */
export interface PlanSource {
  readonly pipeline: Pipeline;
  /** The base for fingerprints, from `baseFor`. */
  readonly base: BaseRef;
  /** The project's current tree. Differs from `base.tree` if `baseFor` chose an earlier run's base. */
  readonly tree: Digest;
  /** Passed results of this pipeline, newest first. */
  readonly passed: readonly CachedResult[];
  readonly contractFiles: ReadonlyMap<string, ContractFile>;
  /** By step id, as in `FingerprintSource`. */
  readonly protectedFiles: ReadonlyMap<string, Digest>;
  /** For example `linux-x64`. */
  readonly platform: string;
  /** Versions of the adapters, by step id. */
  readonly adapterVersions: ReadonlyMap<string, string>;
  /** The digest of the run's input text. */
  readonly runInput?: Digest;
  /** The sandbox features of this machine. */
  readonly sandbox: SandboxSupport;
}

/** Plans a pipeline. Dependencies come before their dependents; independent steps are in manifest order. */
export function planPipeline(source: PlanSource): Plan {
  const { pipeline } = source;
  const byId = new Map(pipeline.steps.map((step) => [step.id, step]));
  const order = topologicalOrder([...byId.keys()], (id) => byId.get(id)?.dependencies ?? []).flatMap((id) => byId.get(id) ?? []);
  const dependents = dependentsOf(pipeline.steps);
  const weights = weightsOf(order, dependents);
  const passed = groupByStep(source.passed);
  const work = new Map<string, PlannedWork>();
  const upstream = new Map<string, UpstreamChanges>();
  for (const step of order) {
    const built = collectUpstream(
      upstreamIds(step).map((id) => ({ id, builtOn: upstream.get(id) ?? new Map(), ...changesOf(cachedIn(work.get(id))) })),
    );
    upstream.set(step.id, built);
    work.set(step.id, workOf(step, source, passed.get(step.id) ?? [], work, built));
  }
  const steps = order.map(
    (step): PlannedStep => ({
      step,
      dependents: dependents.get(step.id) ?? [],
      weight: weights.get(step.id) ?? 1,
      work: work.get(step.id) ?? { kind: "unknown", after: step.dependencies },
      enforcement: enforcementOf(step, source.sandbox),
    }),
  );
  return { pipeline, steps, sandbox: source.sandbox, criticalPath: longestChain(order, dependents, weights) };
}

/** Plans one step. Unknown until all its dependencies have cached results. */
function workOf(
  step: Step,
  source: PlanSource,
  passed: readonly CachedResult[],
  work: ReadonlyMap<string, PlannedWork>,
  built: UpstreamChanges,
): PlannedWork {
  const after = step.dependencies.filter((id) => cachedIn(work.get(id)) === undefined);
  if (after.length > 0) return { kind: "unknown", after };
  const inputs: Record<string, Digest> = {};
  for (const { name, artifact, from } of step.inputs) {
    const output = from === undefined ? undefined : cachedIn(work.get(from))?.artifacts.find((candidate) => candidate.name === artifact);
    if (output !== undefined) inputs[name] = output.digest;
  }
  const { base, contractFiles, platform, adapterVersions, runInput } = source;
  const changes = digestUpstream(built);
  const protectedFiles = source.protectedFiles.get(step.id);
  const fingerprint = fingerprintStep({
    step,
    ...defined({ protectedFiles }),
    inputs,
    ...defined({ changes, runInput }),
    base: fingerprintBase(step, base),
    contractFiles: contractFilesOf(step, contractFiles),
    platform,
    adapterVersion: adapterVersions.get(step.id) ?? "",
  });
  return { ...findCachedResult(step, fingerprint, passed, source.tree), fingerprint };
}

/** The cached result whose artifacts dependents will get. A recheck does not change artifacts. */
function cachedIn(work: PlannedWork | undefined): CachedResult | undefined {
  return work?.kind === "equal" || work?.kind === "recheck" ? work.cached : undefined;
}

function changesOf(cached: CachedResult | undefined): { changes?: Digest } {
  return cached?.changes === undefined ? {} : { changes: cached.changes.digest };
}

function groupByStep(passed: readonly CachedResult[]): ReadonlyMap<string, readonly CachedResult[]> {
  const groups = new Map<string, CachedResult[]>();
  for (const result of passed) {
    const group = groups.get(result.step);
    if (group === undefined) groups.set(result.step, [result]);
    else group.push(result);
  }
  return groups;
}

function dependentsOf(steps: readonly Step[]): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>(steps.map((step) => [step.id, []]));
  for (const step of steps) for (const id of step.dependencies) dependents.get(id)?.push(step.id);
  return dependents;
}

/** The number of steps in the longest chain that starts at each step. */
function weightsOf(order: readonly Step[], dependents: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const step of order.toReversed()) {
    let longest = 0;
    for (const id of dependents.get(step.id) ?? []) longest = Math.max(longest, weights.get(id) ?? 0);
    weights.set(step.id, longest + 1);
  }
  return weights;
}

/** The longest chain of steps; of equally long ones, the first in the manifest. */
function longestChain(
  order: readonly Step[],
  dependents: ReadonlyMap<string, readonly string[]>,
  weights: ReadonlyMap<string, number>,
): string[] {
  const chain: string[] = [];
  let candidates = order.filter((step) => step.dependencies.length === 0).map((step) => step.id);
  while (candidates.length > 0) {
    let next = candidates[0] ?? "";
    for (const id of candidates) if ((weights.get(id) ?? 0) > (weights.get(next) ?? 0)) next = id;
    chain.push(next);
    candidates = [...(dependents.get(next) ?? [])];
  }
  return chain;
}
