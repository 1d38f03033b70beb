/** Builds the lineage of an artifact, breadth first. Each artifact is one node, even if several steps use it. */

import { digestUpstream, upstreamIds } from "../../changeset/upstream-changes.ts";
import { defined } from "../../core/defined.ts";
import type { Digest } from "../../core/digest.ts";
import type { ArtifactRef, EventOf, WaveEvent } from "../../core/event.ts";
import { ok, type Result } from "../../core/result.ts";
import type { RunRecord, StepRecord } from "../../core/state.ts";
import { type FindRun, type FoundProduction, findProduction, type Place } from "./find-producer.ts";
import type { Lineage, LineageNode, Production, UpstreamChange } from "./lineage.ts";

/** The lineage of an artifact of a run. Fails as `findRun` does. */
export async function traceLineage(findRun: FindRun, start: Place & { readonly artifact: ArtifactRef }): Promise<Result<Lineage>> {
  const nodes: LineageNode[] = [];
  const root = nodeId(start);
  const queued = new Set([root]);
  const queue: (Place & { readonly id: string; readonly name: string; readonly artifact?: ArtifactRef })[] = [
    { ...start, id: root, name: start.artifact.name },
  ];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const searched = await findProduction(findRun, next);
    if (!searched.ok) return searched;
    const { found, reusedBy, gap } = searched.value;
    const production = found === undefined ? undefined : await productionOf(findRun, found);
    if (production?.ok === false) return production;
    const artifact = artifactOf(next, found) ?? { name: next.name, digest: next.digest };
    const made = production === undefined ? {} : { made: production.value };
    nodes.push({ id: next.id, artifact, reusedBy, ...made, ...defined({ gap }) });
    for (const input of production?.value.inputs ?? []) {
      if (queued.has(input.node) || found === undefined) continue;
      queued.add(input.node);
      queue.push({ run: found.run.record.id, step: input.from, digest: input.digest, id: input.node, name: input.name });
    }
  }
  return ok({ root, nodes });
}

function nodeId({ run, step, digest }: Place): string {
  return `${run}/${step}/${digest.slice("sha256:".length, "sha256:".length + 16)}`;
}

function artifactOf({ digest, artifact }: Place & { readonly artifact?: ArtifactRef }, found: FoundProduction | undefined) {
  return artifact ?? found?.attempt.artifacts.find((one) => one.digest === digest);
}

async function productionOf(findRun: FindRun, found: FoundProduction): Promise<Result<Production>> {
  const { run, step, attempt } = found;
  const { record, events } = run;
  const { begun, manifest, process } = circumstancesOf(events).get(keyOf(step.id, attempt.attempt, attempt.startedAt)) ?? {};
  const built = await upstreamOf(findRun, found);
  if (!built.ok) return built;
  const { views: _views, ...base } = record.base;
  const { adapter, model, workspace, startedAt, finishedAt, fingerprint, log } = attempt;
  return ok({
    run: record.id,
    pipeline: record.pipeline,
    step: step.id,
    attempt: attempt.attempt,
    ...defined({ version: record.version }),
    persona: begun?.persona ?? step.persona,
    adapter,
    workspace,
    startedAt,
    fingerprint,
    ...defined({ model, finishedAt }),
    contracts: attempt.contracts.map(({ name, type, verdict }) => ({ name, type, verdict })),
    ...defined({ log }),
    inputs: attempt.inputs.map((input) => ({ ...input, node: nodeId({ run: record.id, step: input.from, digest: input.digest }) })),
    ...built.value,
    base,
    manifest: manifest ?? record.manifest,
    options: record.options,
    ...defined({ process }),
  });
}

/** Data of the start of an attempt. The manifest may differ from that of the run, because a resume can update it. */
interface Circumstances {
  readonly begun?: EventOf<"attempt-started">;
  readonly manifest?: Digest;
  readonly process?: NonNullable<Production["process"]>;
}

const known = new WeakMap<readonly WaveEvent[], ReadonlyMap<string, Circumstances>>();

/** The circumstances of all attempts of a run, read in one pass over its events. */
function circumstancesOf(events: readonly WaveEvent[]): ReadonlyMap<string, Circumstances> {
  const before = known.get(events);
  if (before !== undefined) return before;
  const found = new Map<string, Circumstances>();
  const processes = new Map<string, NonNullable<Production["process"]>>();
  let manifest: Digest | undefined;
  for (const event of events) {
    if (event.type === "writer-opened") {
      const { wave, node, platform, host } = event;
      processes.set(event.writer, { wave, node, platform, host });
    } else if (event.type === "run-started") manifest = event.manifest;
    else if (event.type === "run-resumed") manifest = event.update?.manifest ?? manifest;
    else if (event.type === "attempt-started") {
      const process = processes.get(event.writer);
      const circumstances = {
        begun: event,
        ...defined({ manifest, process }),
      };
      found.set(keyOf(event.step, event.attempt, event.ts), circumstances);
    }
  }
  known.set(events, found);
  return found;
}

function keyOf(step: string, attempt: number, ts: string): string {
  return `${step}\0${attempt}\0${ts}`;
}

/** The changes of all upstream steps, and whether they match the fingerprint of the attempt. */
async function upstreamOf(
  findRun: FindRun,
  { run, step, attempt }: FoundProduction,
): Promise<Result<Pick<Production, "builtOn" | "upstreamUnchanged">>> {
  const { steps, changes } = indexOf(run.record);
  const upstream = new Set<string>();
  const open = [...upstreamIds({ dependencies: step.dependencies, inputs: attempt.inputs })];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const above = steps.get(id);
    if (above === undefined || upstream.has(id)) continue;
    upstream.add(id);
    const inputs = await inputsOf(findRun, above);
    if (!inputs.ok) return inputs;
    open.push(...upstreamIds({ dependencies: above.dependencies, inputs: inputs.value }));
  }
  const builtOn = changes.filter(({ step: id }) => upstream.has(id));
  const digest = digestUpstream(new Map(builtOn.map(({ step: id, changes }) => [id, changes.digest])));
  return ok({ builtOn, upstreamUnchanged: digest === attempt.fingerprint.parts["changes"] });
}

interface RunIndex {
  readonly steps: ReadonlyMap<string, StepRecord>;
  /** The changes of the steps. Shared objects, because many steps build on them. */
  readonly changes: readonly UpstreamChange[];
}

const indexes = new WeakMap<RunRecord, RunIndex>();

function indexOf(run: RunRecord): RunIndex {
  const index = indexes.get(run) ?? {
    steps: new Map(run.steps.map((one) => [one.id, one])),
    changes: run.steps.flatMap(({ id, changes }) => (changes === undefined ? [] : [{ step: id, changes }])),
  };
  indexes.set(run, index);
  return index;
}

/** The inputs of a step: of its passed attempt, or of the attempt whose result was reused. */
async function inputsOf(findRun: FindRun, step: StepRecord): Promise<Result<readonly { readonly from: string }[]>> {
  const own = step.attempts.find(({ status, rolledBack }) => status === "passed" && rolledBack !== true);
  if (own !== undefined || step.reusedFrom === undefined) return ok(own?.inputs ?? []);
  const { run, attempt } = step.reusedFrom;
  const from = await findRun(run);
  if (!from.ok) return from;
  const made = from.value?.record.steps.find(({ id }) => id === step.id)?.attempts.find((one) => one.attempt === attempt);
  return ok(made?.inputs ?? []);
}
