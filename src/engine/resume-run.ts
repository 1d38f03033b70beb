/**
 * Resumes a run: uses the manifest, contract files and project base from when the run started, and executes the steps that have not
 * passed. `from`, `skip` and `update` run steps again, skip some, or use the manifest that the project has now.
 */
import { defined } from "../core/defined.ts";
import type { PayloadOf, RunOptions } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { descendantsOf } from "../core/graph.ts";
import type { Step } from "../core/pipeline.ts";
import type { FileSource } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { isRolledBack, openRollbackFailure } from "../core/rolled-back.ts";
import type { RunRecord, StepRecord } from "../core/state.ts";
import { diskSource } from "../manifest/load/disk-source.ts";
import { pinnedSource } from "../manifest/load/pinned-source.ts";
import { requireJournals } from "../store/archived-run.ts";
import { changedPinnedFiles, readPinned } from "../store/pinned-manifest.ts";
import { noSuchStep } from "../store/run-step.ts";
import { listProject, type ProjectListing } from "../workspace/base.ts";
import { detectDrift } from "./drift.ts";
import {
  locateProject,
  openReadonlyStore,
  openReadProject,
  type ProjectRequest,
  type ReadonlyRunStore,
  type ReadProject,
  type RunStore,
  readProject,
} from "./open-project.ts";
import { pinDefinition } from "./pin-definition.ts";
import { type PlannedRun, planPipelineOf, refusalOf } from "./plan-run.ts";
import { execute, type FinishedRun, type RunnerHooks } from "./run-pipeline.ts";
import { selectSteps } from "./step-selection.ts";
import { mismatchOf, type TrustedDefinition } from "./trusted-definition.ts";

export interface ResumeRequest {
  readonly project: ProjectRequest;
  /** An id, a unique prefix, `latest`, or a pipeline's name. */
  readonly selector: string;
  readonly steps: ResumedSteps;
  readonly settings: ResumeSettings;
  /** Uses the manifest that the project has now. */
  readonly update: boolean;
  /** In a job: the definition that the run must equal, and that is executed. Undefined: the pinned one is executed. */
  readonly trusted?: TrustedDefinition;
  readonly signal: AbortSignal;
  /** Called before anything runs. */
  readonly onNotice: (notices: ResumeNotice) => void;
  readonly hooks: RunnerHooks;
}

export interface ResumedSteps {
  /** This step runs again although it passed, and so does everything that descends from it. */
  readonly from?: string;
  /** The only steps to execute. Their dependencies must have passed in this run. */
  readonly selected?: readonly string[];
  /** Steps that are skipped. */
  readonly skip: readonly string[];
}

/** Undefined members default to the settings that the run was started with. */
export interface ResumeSettings {
  readonly concurrency?: number;
  readonly onFailure?: RunOptions["onFailure"];
  /** Whether the project gets the changes of the run when it passes. */
  readonly apply?: boolean;
  readonly resetCircuit: boolean;
}

export type ResumeNotice =
  /** The manifest was updated. `changes` is undefined if it is the one that the run had. */
  | { readonly kind: "redefined"; readonly changes?: readonly StepChange[] }
  /** Files of the manifest changed since the run started; the run uses its own copies. Sent before the others. */
  | { readonly kind: "manifest-changed"; readonly runId: string; readonly files: readonly string[] }
  /** The project changed since the run started. `affected`: the steps that may read the changed files. */
  | { readonly kind: "project-changed"; readonly runId: string; readonly affected: readonly string[] };

/** Resumes a run. Fails with `run-mismatch` if it does not equal the trusted definition. `finished` is undefined if it had passed already. */
export async function resumeRun(request: ResumeRequest): Promise<Result<{ run: RunRecord; finished?: FinishedRun }>> {
  const { project } = request;
  const located = locateProject(project);
  if (!located.ok) return located;
  const { root } = located.value;
  const store = await openReadonlyStore(project, located.value);
  const selected = await store.state.findRun(request.selector);
  if (!selected.ok) return selected;
  const run = selected.value;
  const mismatch = request.trusted === undefined ? undefined : await mismatchOf(run, request.trusted, store.blobs);
  if (mismatch !== undefined) return err(mismatch);
  const open = openRollbackFailure(run);
  if (open !== undefined) return err(open);
  const isDone = run.status === "passed" && request.steps.from === undefined && !isRolledBack(run);
  if (isDone && !request.update) return ok({ run });
  const listing = project.known?.listing ?? listProject(root);
  const writable = await requireJournals(store.state, run.id);
  if (!writable.ok) return writable;
  const definition = await definitionOf(request, { root, run, store });
  if (!definition.ok) return definition;
  const { changedFiles = [] } = definition.value;
  if (changedFiles.length > 0) request.onNotice({ kind: "manifest-changed", runId: run.id, files: changedFiles });
  if (request.update) request.onNotice({ kind: "redefined", ...defined({ changes: definition.value.next?.changes }) });
  if (isDone && definition.value.next === undefined) return ok({ run });
  const finished = await continueRun(request, run, definition.value, listing);
  return finished.ok ? ok({ run: finished.value.run, finished: finished.value }) : finished;
}

async function continueRun(
  request: ResumeRequest,
  run: RunRecord,
  { planned, input, next }: Definition,
  listing: ProjectListing,
): Promise<Result<FinishedRun>> {
  const refused = await refusalOf(planned);
  if (refused !== undefined) return err(refused);
  const { selected } = request.steps;
  const chosen = chosenSteps(request.steps, run, planned);
  if (!chosen.ok) return chosen;
  const narrowed = selectSteps(planned.plan, selected, new Map(run.steps.map((step) => [step.id, step])), run.id);
  if (!narrowed.ok) return narrowed;
  const drift = await detectDrift(planned, run, listing);
  if (!drift.ok) return drift;
  const { rollback, affected, ignoredChanged, now } = drift.value;
  // After an update the manifest differs in any case, and that was reported.
  if (affected !== undefined && next === undefined) request.onNotice({ kind: "project-changed", runId: run.id, affected });
  const { again, skip } = chosen.value;
  const { settings, signal, hooks } = request;
  const options = {
    ...run.options,
    concurrency: settings.concurrency ?? run.options.concurrency,
    onFailure: settings.onFailure ?? run.options.onFailure,
    ...defined({ apply: settings.apply }),
  };
  const event: PayloadOf<"run-resumed"> = {
    type: "run-resumed",
    concurrency: options.concurrency,
    onFailure: options.onFailure,
    ...(again.length === 0 ? {} : { again }),
    ...(skip.length === 0 ? {} : { skip }),
    ...(selected === undefined ? {} : { part: [...selected] }),
    ...defined({ update: next?.update }),
  };
  return execute(
    { ...planned, start: { ...planned.start, rollback, ...defined({ files: now?.files }) } },
    {
      runId: run.id,
      from: {
        event,
        before: run,
        rollsBackOwn: run.inProject !== undefined,
        ...(now === undefined ? {} : { projectBefore: { tree: now.tree, drifted: affected !== undefined || ignoredChanged } }),
        prior: () => priorSteps(planned.store, run, new Set(again)),
      },
      options: {
        concurrency: options.concurrency,
        onFailure: options.onFailure,
        apply: options.apply !== false,
        ...defined({ selectedSteps: selected }),
        excludedSteps: new Set(skip),
        redefined: next !== undefined,
        resetCircuit: settings.resetCircuit,
      },
      reuse: options.reuse ? "always" : "declared",
      ...defined({ input }),
      signal,
      hooks,
    },
  );
}

/** The steps that run again, and those that are skipped. Fails with `usage` for an unknown step, or if a skipped step has passed. */
function chosenSteps(steps: ResumedSteps, run: RunRecord, { plan }: PlannedRun): Result<{ again: string[]; skip: string[] }> {
  const byId = new Map(plan.pipeline.steps.map((step) => [step.id, step]));
  const ids = [...byId.keys()];
  const { from } = steps;
  const skip = [...new Set(steps.skip)];
  const unknown = [...(from === undefined ? [] : [from]), ...skip].find((id) => !byId.has(id));
  if (unknown !== undefined) return err(noSuchStep(run, unknown, ids));
  const again =
    from === undefined ? (isRolledBack(run) ? ids : []) : [from, ...descendantsOf(ids, (id) => byId.get(id)?.dependencies ?? [], from)];
  const passed = skip.find((id) => !again.includes(id) && run.steps.find((step) => step.id === id)?.status === "passed");
  if (passed === undefined) return ok({ again, skip });
  return err({
    reason: "usage",
    message: `step \`${passed}\` cannot be skipped: it has already passed`,
    hint: "only steps that would run can be skipped; `--from` runs it again",
  } satisfies Failure);
}

/** The steps of the run, read once no other process can write to it: another process may have resumed it meanwhile. */
async function priorSteps(
  { state }: RunStore,
  run: RunRecord,
  again: ReadonlySet<string>,
): Promise<Result<ReadonlyMap<string, StepRecord>>> {
  const now = await state.findRun(run.id);
  if (!now.ok) return now;
  if (now.value.inProject?.digest !== run.inProject?.digest) {
    return err({
      reason: "usage",
      message: `run ${run.id} was changed by another process meanwhile`,
      hint: "check it with `wave status` and try again",
    });
  }
  return ok(new Map(now.value.steps.map((step) => [step.id, again.has(step.id) ? { ...step, status: "pending" } : step])));
}

/** The definition that a run is resumed with. */
interface Definition {
  readonly planned: PlannedRun;
  readonly input?: string;
  /** Set if it is not the definition that the run had. */
  readonly next?: Redefinition;
  /** With the pinned definition: its files whose bytes on disk differ, or that are missing there. */
  readonly changedFiles?: readonly string[];
}

/** The run that is resumed. */
interface Resumed {
  readonly root: string;
  readonly run: RunRecord;
  readonly store: ReadonlyRunStore;
}

/**
 * Plans the run over the base that it started with, with the trusted definition, the pinned one, or with `update` the one on disk. Fails
 * with `manifest-invalid`, and as planning does.
 */
async function definitionOf({ project, trusted, update }: ResumeRequest, resumed: Resumed): Promise<Result<Definition>> {
  // It equals the pinned definition, which is not read.
  if (trusted !== undefined) return planRead(project, resumed, trusted.read);
  const { blobs } = resumed.store;
  const pinned = await readPinned(blobs, resumed.run.manifest);
  if (!pinned.ok) return pinned;
  const source = pinnedSource(
    async (path) => {
      const digest = pinned.value.get(path);
      const bytes = digest === undefined ? undefined : await blobs.get(digest);
      return bytes?.ok === true ? bytes.value : undefined;
    },
    [...pinned.value.keys()],
  );
  const before = await planDefinition(project, resumed, source);
  if (!before.ok) return before;
  if (!update) return ok({ ...before.value, changedFiles: await changedPinnedFiles(pinned.value, diskSource(resumed.root)) });
  const now = await planDefinition(project, resumed);
  if (!now.ok) return now;
  const next = await redefinition(before.value.planned, now.value.planned, resumed.run.manifest);
  if (!next.ok) return next;
  return ok(next.value === undefined ? before.value : { ...now.value, next: next.value });
}

/** Plans the run with the files of `source`, which defaults to the disk. */
async function planDefinition(project: ProjectRequest, resumed: Resumed, source?: FileSource): Promise<Result<Definition>> {
  const { environment, adapter, files } = resumed.run.options;
  const read = await readProject({ ...project, ...defined({ environment, adapter }) }, { root: resumed.root, files }, source);
  return read.ok ? planRead(project, resumed, read.value) : read;
}

async function planRead(project: ProjectRequest, { run, store: outer }: Resumed, read: ReadProject): Promise<Result<Definition>> {
  const name = run.version === undefined ? run.pipeline : `${run.pipeline}@${run.version}`;
  // This manifest may declare other secrets than the current one, so state is opened again.
  const opened = openReadProject(project, read, name);
  if (!opened.ok) return opened;
  const { pipeline, ...rest } = opened.value;
  const store = { ...rest.store, stateDir: outer.stateDir };
  const input = await inputOf(run, store);
  if (!input.ok) return input;
  const selection = { pipeline, baseOf: async () => ok(run.base), usesHistory: false };
  const optional = defined({ input: input.value, trustedFiles: project.known?.trustedFiles });
  const planned = await planPipelineOf({ ...rest, store }, { ...selection, ...optional });
  return planned.ok ? ok({ planned: planned.value, ...defined({ input: input.value }) }) : planned;
}

async function inputOf(run: RunRecord, { blobs }: ReadonlyRunStore): Promise<Result<string | undefined>> {
  if (run.options.input === undefined) return ok(undefined);
  const bytes = await blobs.get(run.options.input);
  return bytes.ok ? ok(Buffer.from(bytes.value).toString()) : bytes;
}

/** A step whose definition differs from the run's. */
export interface StepChange {
  readonly step: string;
  readonly kind: "added" | "removed" | "changed";
  /** With `changed`: the parts of its fingerprint that differ, and `dependencies` if they differ. */
  readonly parts: readonly string[];
}

/** A pinned definition, and the steps in which it differs from the run's. Its files may differ although no step does. */
interface Redefinition {
  readonly update: NonNullable<PayloadOf<"run-resumed">["update"]>;
  readonly changes: readonly StepChange[];
}

/** Pins the project's current definition and compares it. Undefined if its files are the run's. Fails as the store does. */
async function redefinition(before: PlannedRun, now: PlannedRun, manifest: string): Promise<Result<Redefinition | undefined>> {
  const update = await pinDefinition(now);
  if (!update.ok) return update;
  if (update.value.manifest === manifest) return ok(undefined);
  const old = new Map(before.plan.pipeline.steps.map((step) => [step.id, step]));
  const changes: StepChange[] = [];
  for (const step of now.plan.pipeline.steps) {
    const earlier = old.get(step.id);
    old.delete(step.id);
    if (earlier === undefined) changes.push({ step: step.id, kind: "added", parts: [] });
    else {
      const parts = differingParts(before, earlier, now, step);
      if (parts.length > 0) changes.push({ step: step.id, kind: "changed", parts });
    }
  }
  for (const id of old.keys()) changes.push({ step: id, kind: "removed", parts: [] });
  return ok({ update: update.value, changes });
}

/** Compares without inputs and changes, which are unknown until upstream steps have run. */
function differingParts(before: PlannedRun, earlier: Step, now: PlannedRun, step: Step): string[] {
  const a = before.fingerprintOf(earlier, {}, undefined).parts;
  const b = now.fingerprintOf(step, {}, undefined).parts;
  const parts = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]).sort();
  const dependenciesOf = (of: Step) =>
    JSON.stringify([of.dependencies, of.inputs.map(({ name, artifact, from, optional }) => [name, artifact, from, optional])]);
  return dependenciesOf(earlier) === dependenciesOf(step) ? parts : [...parts, "dependencies"];
}
