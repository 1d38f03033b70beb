/**
 * The way back into a run: its manifest, base and gates are taken from state as they were when it began, and only the steps that have
 * not passed are executed. A caller may have steps run again, leave some out, or take the definition that the project has now.
 */
import { defined } from "../core/defined.ts";
import type { PayloadOf } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { descendantsOf } from "../core/graph.ts";
import type { Plan } from "../core/plan.ts";
import type { Reporter } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { isRolledBack, openRollbackFailure } from "../core/rolled-back.ts";
import type { RunRecord, StepRecord } from "../core/state.ts";
import type { PublishRequest } from "../github/publish/publish-artifacts.ts";
import { requireJournals } from "../store/archived-run.ts";
import { noSuchStep } from "../store/run-step.ts";
import { listProject, type ProjectListing } from "../workspace/base.ts";
import { detectDrift } from "./drift.ts";
import { locateProject, openReadonlyStore, type ProjectRequest, type RunStore } from "./open-project.ts";
import { type PlannedRun, refusalOf } from "./plan-run.ts";
import { type Definition, definitionOf } from "./run-definition.ts";
import { execute, type FinishedRun } from "./run-pipeline.ts";
import { selectSteps } from "./step-selection.ts";
import { mismatchOf, type TrustedDefinition } from "./trusted-definition.ts";
import type { StepChange } from "./update-definition.ts";

export interface ResumeRequest extends ProjectRequest {
  /** An id, a unique prefix, `latest`, or a pipeline's name. */
  readonly selector: string;
  /** Runs again although it passed, and so does all that descends from it. */
  readonly from?: string;
  /** Steps to execute, where not all are wanted. What they depend on must have passed in this run. */
  readonly part?: readonly string[];
  /** Steps that are left out. */
  readonly skip: readonly string[];
  /** Whether the project gets the changes of the run when it passes; absent: as the run was asked for. */
  readonly apply?: boolean;
  /** Takes the manifest that the project has now. */
  readonly update: boolean;
  readonly concurrency?: number;
  readonly onFailure?: "finish" | "stop" | "keep-going";
  readonly resetCircuit: boolean;
  /** Set in a job: the run has to equal this definition, which is the one that is executed. Undefined: the pinned one is executed. */
  readonly trusted?: TrustedDefinition;
  readonly signal: AbortSignal;
  readonly publishers?: PublishRequest["publishers"];
  /** Told before anything is run. */
  readonly onNotice: (notices: ResumeNotice) => void;
  readonly reporter: (plan: Plan) => Promise<Reporter>;
}

export type ResumeNotice =
  /** The definition that counts from here on, by the steps in which it differs; nothing where it is the same. */
  | { readonly kind: "redefined"; readonly changes?: readonly StepChange[] }
  /** The project is not as it was when the run began; the steps that may read what changed. */
  | { readonly kind: "project-changed"; readonly run: string; readonly affected: readonly string[] };

/** Resumes a run. Fails with `run-mismatch` if it is not the trusted definition's. Returns `undefined` as `finished` when it passed already: there is nothing to do. */
export async function resumeRun(request: ResumeRequest): Promise<Result<{ run: RunRecord; finished?: FinishedRun }>> {
  const located = locateProject(request);
  if (!located.ok) return located;
  const outer = await openReadonlyStore(request, located.value);
  const found = await outer.state.findRun(request.selector);
  if (!found.ok) return found;
  const run = found.value;
  const mismatch = request.trusted === undefined ? undefined : await mismatchOf(run, request.trusted, outer.blobs);
  if (mismatch !== undefined) return err(mismatch);
  const open = openRollbackFailure(run);
  if (open !== undefined) return err(open);
  const idle = run.status === "passed" && request.from === undefined && !isRolledBack(run);
  if (idle && !request.update) return ok({ run });
  const listing = request.listing ?? listProject(located.value.root);
  const writable = await requireJournals(outer.state, run.id);
  if (!writable.ok) return writable;
  const definition = await definitionOf(request, located.value.root, run, outer);
  if (!definition.ok) return definition;
  if (request.update) request.onNotice({ kind: "redefined", ...defined({ changes: definition.value.next?.changes }) });
  if (idle && definition.value.next === undefined) return ok({ run });
  const finished = await continueRun(request, run, definition.value, listing);
  return finished.ok ? ok({ run: finished.value.run, finished: finished.value }) : finished;
}

async function continueRun(
  request: ResumeRequest,
  run: RunRecord,
  definition: Definition,
  listing: ProjectListing,
): Promise<Result<FinishedRun>> {
  const { planned, input, next } = definition;
  const refused = await refusalOf(planned);
  if (refused !== undefined) return err(refused);
  const { part } = request;
  const chosen = chosenSteps(request, run, planned);
  if (!chosen.ok) return chosen;
  const narrowed = selectSteps(planned.plan, part, new Map(run.steps.map((step) => [step.id, step])), run.id);
  if (!narrowed.ok) return narrowed;
  const since = await detectDrift(planned, run, listing);
  if (!since.ok) return since;
  const { rollback, affected, ignoredChanged, now } = since.value;
  // With another manifest the project is another in any case: that is what was told.
  if (affected !== undefined && next === undefined) request.onNotice({ kind: "project-changed", run: run.id, affected });
  const { again, skip } = chosen.value;
  const { options } = run;
  const merged = {
    ...options,
    concurrency: request.concurrency ?? options.concurrency,
    onFailure: request.onFailure ?? options.onFailure,
    ...defined({ apply: request.apply }),
  };
  const first: PayloadOf<"run-resumed"> = {
    type: "run-resumed",
    concurrency: merged.concurrency,
    onFailure: merged.onFailure,
    ...(again.length === 0 ? {} : { again }),
    ...(skip.length === 0 ? {} : { skip }),
    ...(part === undefined ? {} : { part: [...part] }),
    ...defined({ update: next?.update }),
  };
  return execute(
    { ...planned, rollback: rollback, ...defined({ files: now?.files }) },
    {
      ...request,
      run: run.id,
      before: run,
      first,
      options: merged,
      leaveOut: new Set(skip),
      redefined: next !== undefined,
      rollsBackOwn: run.inProject !== undefined,
      ...(now === undefined ? {} : { project: { tree: now.tree, drifted: affected !== undefined || ignoredChanged } }),
      prior: () => priorSteps(planned.store, run, new Set(again)),
      ...defined({ input }),
    },
  );
}

/** The steps that run again, and those that are left out. Fails with `usage` where the run has no such step, or it passed and is to be left out. */
function chosenSteps(request: ResumeRequest, run: RunRecord, { plan }: PlannedRun): Result<{ again: string[]; skip: string[] }> {
  const byId = new Map(plan.pipeline.steps.map((step) => [step.id, step]));
  const ids = [...byId.keys()];
  const { from } = request;
  const skip = [...new Set(request.skip)];
  const unknown = [...(from === undefined ? [] : [from]), ...skip].find((id) => !byId.has(id));
  if (unknown !== undefined) return err(noSuchStep(run, unknown, ids));
  const again =
    from === undefined ? (isRolledBack(run) ? ids : []) : [from, ...descendantsOf(ids, (id) => byId.get(id)?.dependencies ?? [], from)];
  const passed = skip.find((id) => !again.includes(id) && run.steps.find((step) => step.id === id)?.status === "passed");
  if (passed === undefined) return ok({ again, skip });
  return err({
    reason: "usage",
    message: `step \`${passed}\` cannot be left out: it passed already`,
    hint: "only what would be run can be; `--from` has it run again",
  } satisfies Failure);
}

/** Asked once no other process can write to the run: another one may have gone on with it until now. */
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
      hint: "look at it with `wave status`, and try again",
    });
  }
  return ok(new Map(now.value.steps.map((step) => [step.id, again.has(step.id) ? { ...step, status: "pending" } : step])));
}
