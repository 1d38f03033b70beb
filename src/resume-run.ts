/**
 * The way back into a run that did not pass: its manifest, base and gates are taken from state as they were when it began,
 * and only the steps that have not passed are executed.
 */
import { pinnedSource } from "./load/pinned-source.ts";
import type { Plan } from "./model/plan.ts";
import type { ArtifactStore, Reporter } from "./model/ports.ts";
import { err, ok, type Result } from "./model/result.ts";
import type { RunRecord, StepRecord } from "./model/state.ts";
import { locateProject, type Memory, openMemory, type ProjectRequest, readProject, requireValid } from "./open-project.ts";
import { planSelected, refusalOf } from "./plan-run.ts";
import { execute, type FinishedRun } from "./run-pipeline.ts";
import { readPinned } from "./state/pinned-manifest.ts";
import { requireJournals } from "./state/require-journals.ts";
import { selectPipeline } from "./validate/select-pipeline.ts";

export interface ResumeRequest extends ProjectRequest {
  /** An id, a unique prefix, `latest`, or a pipeline's name. */
  readonly selector: string;
  readonly concurrency?: number;
  readonly onFailure?: "finish" | "stop" | "keep-going";
  readonly resetCircuit: boolean;
  readonly signal: AbortSignal;
  readonly reporter: (plan: Plan) => Promise<Reporter>;
}

/** Goes on with a run. Gives `undefined` as `finished` when it passed already: there is nothing to do. */
export async function resumeRun(request: ResumeRequest): Promise<Result<{ run: RunRecord; finished?: FinishedRun }>> {
  const located = locateProject(request);
  if (!located.ok) return located;
  const current = await readProject(request, located.value);
  if (!current.ok) return current;
  const outer = openMemory(current.value, request.env);
  const found = await outer.state.findRun(request.selector);
  if (!found.ok) return found;
  const run = found.value;
  if (run.status === "passed") return ok({ run });
  const writable = await requireJournals(outer.state, run.id);
  if (!writable.ok) return writable;
  const finished = await goOn(request, located.value.root, run, outer);
  return finished.ok ? ok({ run: finished.value.run, finished: finished.value }) : finished;
}

async function goOn(request: ResumeRequest, root: string, run: RunRecord, outer: Memory): Promise<Result<FinishedRun>> {
  const pinned = await readPinned(outer.blobs, run.manifest);
  if (!pinned.ok) return pinned;
  const source = pinnedSource(
    async (path) => {
      const digest = pinned.value.get(path);
      const bytes = digest === undefined ? undefined : await outer.blobs.get(digest);
      return bytes?.ok === true ? bytes.value : undefined;
    },
    [...pinned.value.keys()],
  );
  const { options } = run;
  const words = {
    ...request,
    ...(options.environment === undefined ? {} : { environment: options.environment }),
    ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
  };
  const read = await readProject(words, { root, files: options.files }, source);
  if (!read.ok) return read;
  const project = requireValid(read.value);
  if (!project.ok) return project;
  const pipeline = selectPipeline(project.value, run.version === undefined ? run.pipeline : `${run.pipeline}@${run.version}`);
  if (!pipeline.ok) return pipeline;
  // The pinned manifest may declare secrets that the current one does not: state is opened again with all of them known.
  const memory = { ...openMemory(read.value, request.env), stateDir: outer.stateDir };
  const input = await inputOf(run, memory.blobs);
  if (!input.ok) return input;
  const planned = await planSelected(
    { read: read.value, project: project.value, memory, env: request.env },
    pipeline.value,
    async () => ok(run.base),
    false,
    input.value,
  );
  if (!planned.ok) return planned;
  const refused = refusalOf(planned.value);
  if (refused !== undefined) return err(refused);
  const merged = { ...options, concurrency: request.concurrency ?? options.concurrency, onFailure: request.onFailure ?? options.onFailure };
  return execute(planned.value, {
    ...request,
    run: run.id,
    first: { type: "run-resumed", concurrency: merged.concurrency, onFailure: merged.onFailure },
    options: merged,
    prior: async () => {
      // Asked again: another process may have gone on with the run until now.
      const now = await memory.state.findRun(run.id);
      return now.ok ? ok(await verifiedSteps(now.value, memory.blobs)) : now;
    },
    ...(input.value === undefined ? {} : { input: input.value }),
  });
}

async function inputOf(run: RunRecord, blobs: ArtifactStore): Promise<Result<string | undefined>> {
  if (run.options.input === undefined) return ok(undefined);
  const bytes = await blobs.get(run.options.input);
  return bytes.ok ? ok(Buffer.from(bytes.value).toString()) : bytes;
}

/** Steps as state knows them; a passed step whose artifacts are gone or altered counts as not passed. */
async function verifiedSteps(run: RunRecord, blobs: ArtifactStore): Promise<ReadonlyMap<string, StepRecord>> {
  const steps = new Map<string, StepRecord>();
  for (const step of run.steps) {
    const whole = await Promise.all(step.artifacts.map((artifact) => blobs.pathOf(artifact.digest)));
    const intact = whole.every((result) => result.ok);
    steps.set(step.id, step.status === "passed" && !intact ? { ...step, status: "pending", artifacts: [] } : step);
  }
  return steps;
}
