/**
 * The spine: load → validate → plan → execute → publish → report, read once and understood. `engine/open-project.ts` and
 * `engine/plan-run.ts` are its first chapters, `engine/change-project.ts` its last; `engine/resume-run.ts` is the way back in after a failure.
 */

import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { collectArtifacts } from "../blobs/collect.ts";
import { defined } from "../core/defined.ts";
import { digestOfBytes } from "../core/digest.ts";
import type { EventPayload, RunOptions, WaveEvent } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { Step } from "../core/pipeline.ts";
import type { Plan } from "../core/plan.ts";
import type { Clock, Journal, Reporter } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord, StepRecord } from "../core/state.ts";
import type { ExecuteOptions, ProjectBefore, RunHooks, RunOutcome } from "../executor/context.ts";
import { executePlan } from "../executor/execute-plan.ts";
import { type PublishRequest, publishArtifacts } from "../github/publish/publish-artifacts.ts";
import { findCachedResult } from "../planner/find-cached-result.ts";
import { systemClock } from "../platform/clock.ts";
import { stateGone } from "../platform/files.ts";
import { sealRepositories } from "../platform/git.ts";
import { assemblePrompt } from "../prompt/assemble-prompt.ts";
import { openAttemptLog } from "../workspace/attempt-log.ts";
import { workspaceProvider } from "../workspace/provider.ts";
import { alertsOf, recordAlerts } from "./alert-run.ts";
import { changesPort } from "./change-project.ts";
import { contractTypes } from "./evaluator.ts";
import { traceEnvironment } from "./export-run.ts";
import type { Environment } from "./open-project.ts";
import { findOpenRollback } from "./open-rollback.ts";
import { pinDefinition } from "./pin-definition.ts";
import { type PlannedRun, type PlanRequest, planRun, refusalOf } from "./plan-run.ts";
import { changeWatch, projectNow } from "./project-tree.ts";
import { trustedFilesOf } from "./protected-files.ts";
import type { Recording, RecordingRequest } from "./record-run.ts";
import { selectSteps } from "./step-selection.ts";
import { storeLog } from "./store-log.ts";

export interface RunRequest extends PlanRequest {
  /** The id of the run; absent: a new one. */
  readonly run?: string;
  /** Steps to execute, where not all are wanted. What they depend on must have passed in this run. */
  readonly part?: readonly string[];
  readonly concurrency?: number;
  readonly onFailure: RunOptions["onFailure"];
  /** Take equal, passed work from earlier runs, whatever the manifest says. */
  readonly reuse: boolean;
  /** Execute every step, whatever `reuse` and the manifest say. Defaults to false. */
  readonly fresh?: boolean;
  /** Whether the project gets the changes of a run that passed. */
  readonly apply: boolean;
  readonly resetCircuit: boolean;
  /** Where a recording of the run goes; absolute. Absent: nothing is recorded. */
  readonly record?: string;
  /** Absent: the system's. */
  readonly clock?: Clock;
  readonly signal: AbortSignal;
  /** Who publishes what the pipeline says; or why nothing can be published here. */
  readonly publishers?: PublishRequest["publishers"];
  /** Made once the plan is known, so that a live view can show steps that have not begun. */
  readonly reporter: (plan: Plan) => Promise<Reporter>;
}

/** A run that came to its end; `failure` says why it did not pass. */
export interface FinishedRun {
  readonly planned: PlannedRun;
  readonly run: RunRecord;
  /** How this process's steps ended: with `part`, the run itself may have more to come. */
  readonly status: RunOutcome["status"];
  readonly failure?: Failure;
}

/** Load → validate → plan → execute → publish → report. */
export async function runPipeline(request: RunRequest): Promise<Result<FinishedRun>> {
  const planned = await planRun(
    { ...request, executes: true },
    (pipeline) => isReusing(request) || (request.fresh !== true && pipeline.steps.some((step) => step.reuse)),
  );
  if (!planned.ok) return planned;
  const refused = (await refusalOf(planned.value)) ?? (await findOpenRollback(planned.value.store));
  if (refused !== undefined) return err(refused);
  const part = selectSteps(planned.value.plan, request.part, new Map());
  if (!part.ok) return part;
  const { record } = request;
  const unrecordable = record === undefined ? undefined : await problemOf(planned.value, { ...request, record });
  if (unrecordable !== undefined) return err(unrecordable);
  const options = optionsOf(request, planned.value);
  const first = await beginRun(planned.value, options, request);
  if (!first.ok) return first;
  const run = request.run ?? randomBytes(5).toString("hex");
  const project = { tree: planned.value.tree, drifted: false };
  return execute(planned.value, { ...request, run, first: first.value, options, project, prior: async () => ok(new Map()) });
}

function isReusing({ reuse, fresh }: Pick<RunRequest, "fresh" | "reuse">): boolean {
  return reuse && fresh !== true;
}

async function problemOf({ plan }: PlannedRun, request: RecordingRequest): Promise<Failure | undefined> {
  return (await import("./record-run.ts")).recordingProblem(plan, request);
}

/** Why the command line publishes nothing. */
const nowhere = "there is no pull request here";

/** What a run needs beyond its plan. A resumed run brings what it already has. */
export interface Execution {
  readonly run: string;
  /** `run-started` or `run-resumed`. */
  readonly first: EventPayload;
  readonly options: RunOptions;
  /** Steps to execute, where not all are wanted. */
  readonly part?: readonly string[];
  /** Steps that are left out. */
  readonly leaveOut?: ReadonlySet<string>;
  /** The record of a run that is resumed, as it was before. */
  readonly before?: RunRecord;
  /** The project before this process changes anything; undefined if that is not known. */
  readonly project?: ProjectBefore;
  /** What lies over the base is of this very run. */
  readonly rollsBackOwn?: boolean;
  /** The definition is not the one that the run had. */
  readonly redefined?: boolean;
  /** Steps that the run already has, asked for once no other process can write to it. */
  readonly prior: () => Promise<Result<ReadonlyMap<string, StepRecord>>>;
  readonly env: Environment;
  readonly input?: string;
  readonly resetCircuit: boolean;
  readonly record?: string;
  /** Every step is executed, whatever the manifest says. */
  readonly fresh?: boolean;
  readonly clock?: Clock;
  readonly signal: AbortSignal;
  readonly publishers?: PublishRequest["publishers"];
  readonly reporter: (plan: Plan) => Promise<Reporter>;
}

/** Execute → publish → report. Takes the run for this process, and gives it back however this ends. */
export async function execute(planned: PlannedRun, execution: Execution): Promise<Result<FinishedRun>> {
  const { state } = planned.store;
  const journal = await state.openJournal(execution.run);
  if (!journal.ok) return journal;
  let reporter: Reporter | undefined;
  const outcome = await runThenClose(
    async () => {
      const prior = await execution.prior();
      if (!prior.ok) return prior;
      const plan = selectSteps(planned.plan, execution.part, prior.value, execution.run);
      if (!plan.ok) return plan;
      reporter = await execution.reporter(plan.value);
      return followPlan({ ...planned, plan: plan.value }, execution, prior.value, journal.value, reporter);
    },
    () => journal.value.close(),
    async () => reporter?.close(),
  );
  if (!outcome.ok) return outcome;
  const record = await state.findRun(execution.run);
  if (!record.ok) return record.error.reason === "run-not-found" ? err(stateGone(planned.store.stateDir)) : record;
  const { status, failure } = outcome.value;
  return ok({ planned, run: record.value, status, ...defined({ failure }) });
}

/** Does the work, then closes what was open, also after a bug. What the work says comes before what closing says. */
async function runThenClose<T>(
  work: () => Promise<Result<T>>,
  close: () => Promise<Result<void>>,
  end: () => Promise<void>,
): Promise<Result<T>> {
  let closed: Result<void> = ok(undefined);
  let outcome: Result<T>;
  try {
    outcome = await work();
  } finally {
    closed = await close();
    await end();
  }
  return outcome.ok && !closed.ok ? closed : outcome;
}

async function followPlan(
  planned: PlannedRun,
  execution: Execution,
  prior: ReadonlyMap<string, StepRecord>,
  journal: Journal,
  reporter: Reporter,
): Promise<Result<RunOutcome>> {
  const { plan, store, read, rollback, isolation } = planned;
  const { run, env, clock = systemClock } = execution;
  const { blobs, redactor, stateDir } = store;
  const traced = traceEnvironment(env, run);
  const alerts = alertsOf(planned, run, execution.before, env);
  let attemptsInPlace = 0;
  const notifyReporters = (events: readonly WaveEvent[]) => {
    for (const event of events) {
      if (event.type === "attempt-started" && event.workspace !== "isolated") attemptsInPlace += 1;
      reporter.onEvent(event);
      alerts.onEvent(event);
    }
  };
  sealRepositories(read.root);
  const recording = await recordingOf(planned, execution);
  const adapters = recording?.adapters ?? planned.adapters;
  const first = await journal.append([execution.first]);
  if (!first.ok) return first;
  notifyReporters(first.value);
  const { publish: publications } = plan.pipeline;
  const outcome = await executePlan({
    plan,
    run: {
      runId: run,
      options: executeOptions(execution),
      prior,
      contractFiles: planned.project.contractFiles,
      signal: execution.signal,
      ...defined({ projectBefore: execution.project, input: execution.input }),
    },
    services: {
      journal,
      state: store.state,
      blobs,
      workspaces: workspaceProvider({
        root: read.root,
        stateDir,
        stateRoot: store.stateRoot,
        env,
        isolation,
        blobs,
        redactor,
        ...defined({ files: planned.files }),
      }),
      adapters,
      contractTypes,
      changes: changesPort(store, read.root, rollback, execution.rollsBackOwn === true),
      trustedFiles: trustedFilesOf(planned),
      clock,
      random: Math.random,
    },
    hooks: {
      notifyReporters,
      fingerprintOf: planned.fingerprintOf,
      findCachedResult: matcherOf(planned, execution),
      projectUnchanged: changeWatch(planned, () => attemptsInPlace),
      projectNow: () => projectNow(planned),
      ...(publications.length === 0
        ? {}
        : {
            publishArtifacts: (artifacts) =>
              publishArtifacts({ publications, artifacts, blobs, publishers: execution.publishers ?? nowhere }),
          }),
    },
    attempts: {
      secretsOf: (step) => secretsOf(step, env),
      traceEnv: (step, attempt) => traced(step.id, attempt),
      assemblePrompt,
      openLog: (step, attempt) => {
        const path = `${stateDir}/logs/${run}/${step.id}.${attempt}.log`;
        return openAttemptLog({ path, redactor, onText: (text) => reporter.onOutput?.({ step: step.id, attempt, text }) });
      },
      storeLog: (path) => storeLog(store, path),
      collect: (request) => collectArtifacts({ ...request, blobs, redactor }),
    },
  });
  if (!outcome.ok) return outcome;
  const recorded = await recordAlerts(alerts, journal, notifyReporters, outcome.value.status === "cancelled");
  if (!recorded.ok) return recorded;
  const written = outcome.value.status === "cancelled" ? undefined : await recording?.write();
  return written?.ok === false ? written : outcome;
}

function executeOptions({ options, part, leaveOut, redefined, resetCircuit }: Execution): ExecuteOptions {
  return {
    concurrency: options.concurrency,
    onFailure: options.onFailure,
    apply: options.apply !== false,
    resetCircuit,
    ...defined({ selectedSteps: part, excludedSteps: leaveOut, redefined }),
  };
}

async function recordingOf(planned: PlannedRun, { record, part, input }: Execution): Promise<Recording | undefined> {
  if (record === undefined) return undefined;
  return (await import("./record-run.ts")).recordRun(planned, { record, ...defined({ part }) }, input);
}

/** Finds equal work where reuse is on. What is recorded has to be done. */
function matcherOf({ passed, tree }: PlannedRun, { options, record, fresh }: Execution): NonNullable<RunHooks["findCachedResult"]> {
  return (step, fingerprint) =>
    record === undefined && fresh !== true && (options.reuse || step.reuse)
      ? findCachedResult(step, fingerprint, passed, tree)
      : { kind: "new" };
}

async function beginRun(
  planned: PlannedRun,
  options: RunOptions,
  { input, part }: Pick<RunRequest, "input" | "part">,
): Promise<Result<EventPayload>> {
  const { store, plan, base } = planned;
  const definition = await pinDefinition(planned);
  if (!definition.ok) return definition;
  if (input !== undefined) {
    const stored = await store.blobs.put(Buffer.from(store.redactor.text(input)));
    if (!stored.ok) return stored;
  }
  const { name, version } = plan.pipeline;
  return ok({
    type: "run-started",
    pipeline: name,
    ...defined({ version }),
    options,
    base,
    ...definition.value,
    ...(part === undefined ? {} : { part: [...part] }),
  });
}

function optionsOf(request: RunRequest, planned: PlannedRun): RunOptions {
  const { read, plan } = planned;
  return {
    files: [...read.files],
    ...defined({ environment: read.environment, adapter: read.adapter }),
    concurrency: request.concurrency ?? plan.pipeline.concurrency ?? defaultConcurrency(),
    onFailure: request.onFailure,
    reuse: isReusing(request),
    apply: request.apply,
    ...(request.input === undefined ? {} : { input: digestOfBytes(planned.store.redactor.text(request.input)) }),
  };
}

function defaultConcurrency(): number {
  return Math.min(8, Math.max(1, availableParallelism()));
}

function secretsOf(step: Step, env: Environment): Record<string, string> {
  return Object.fromEntries(step.secrets.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
