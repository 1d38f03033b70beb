/** Runs a pipeline: load → validate → plan → execute → publish → report. `resume-run.ts` enters at `execute`. */

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

export interface RunRequest extends Omit<PlanRequest, "executes"> {
  /** The id of the run. Defaults to a new one. */
  readonly runId?: string;
  readonly settings: RunSettings;
  /** Records the run in this directory; absolute. Undefined: it is not recorded. */
  readonly record?: string;
  /** Defaults to the system's clock. */
  readonly clock?: Clock;
  readonly signal: AbortSignal;
  readonly hooks: RunnerHooks;
}

export interface RunSettings {
  /** The only steps to execute. Their dependencies must have passed in this run. */
  readonly selectedSteps?: readonly string[];
  readonly concurrency?: number;
  readonly onFailure: RunOptions["onFailure"];
  /** Whether results of earlier runs are reused, even without `reuse` in the manifest. */
  readonly reuse: boolean;
  /** Executes every step, even with `reuse` here or in the manifest. Defaults to false. */
  readonly fresh?: boolean;
  /** Whether the project gets the changes of a run that passed. */
  readonly apply: boolean;
  readonly resetCircuit: boolean;
}

export interface RunnerHooks {
  /** Publishes the pipeline's publications. A text: why nothing can be published here. */
  readonly publishers?: PublishRequest["publishers"];
  /** Called once the plan is known, so that a live view can show steps that have not started. */
  readonly reporter: (plan: Plan) => Promise<Reporter>;
}

/** A run that ended. */
export interface FinishedRun {
  readonly planned: PlannedRun;
  readonly run: RunRecord;
  /** How the steps of this process ended; with selected steps the run itself may not have ended. */
  readonly status: RunOutcome["status"];
  /** Undefined if it passed. */
  readonly failure?: Failure;
}

export async function runPipeline(request: RunRequest): Promise<Result<FinishedRun>> {
  const { settings, record } = request;
  const planned = await planRun(
    { ...request, executes: true },
    (pipeline) => isReusing(settings) || (settings.fresh !== true && pipeline.steps.some((step) => step.reuse)),
  );
  if (!planned.ok) return planned;
  const refused = (await refusalOf(planned.value)) ?? (await findOpenRollback(planned.value.store));
  if (refused !== undefined) return err(refused);
  const { selectedSteps } = settings;
  const selected = selectSteps(planned.value.plan, selectedSteps, new Map());
  if (!selected.ok) return selected;
  const recording = { reuse: settings.reuse, ...defined({ selectedSteps }) };
  const unrecordable = record === undefined ? undefined : await problemOf(planned.value, { ...recording, record });
  if (unrecordable !== undefined) return err(unrecordable);
  const options = optionsOf(request, planned.value);
  const event = await runStarted(planned.value, options, request);
  if (!event.ok) return event;
  return execute(planned.value, {
    runId: request.runId ?? randomBytes(5).toString("hex"),
    from: {
      event: event.value,
      projectBefore: { tree: planned.value.start.tree, drifted: false },
      prior: async () => ok(new Map()),
    },
    options: {
      concurrency: options.concurrency,
      onFailure: options.onFailure,
      apply: settings.apply,
      ...defined({ selectedSteps }),
      resetCircuit: settings.resetCircuit,
    },
    // A recorded step has to be executed.
    reuse: record !== undefined || settings.fresh === true ? "never" : options.reuse ? "always" : "declared",
    ...defined({ input: request.input, record, clock: request.clock }),
    signal: request.signal,
    hooks: request.hooks,
  });
}

function isReusing({ reuse, fresh }: Pick<RunSettings, "fresh" | "reuse">): boolean {
  return reuse && fresh !== true;
}

async function problemOf({ plan }: PlannedRun, request: RecordingRequest): Promise<Failure | undefined> {
  return (await import("./record-run.ts")).recordingProblem(plan, request);
}

/** Why the command line publishes nothing. */
const noPublisher = "there is no pull request here";

/** The execution of a plan, for a new or a resumed run. */
export interface Execution {
  readonly runId: string;
  readonly from: StartingPoint;
  readonly options: ExecuteOptions;
  /** `declared`: only steps with `reuse` in the manifest. */
  readonly reuse: "always" | "declared" | "never";
  /** The run's input text. */
  readonly input?: string;
  readonly record?: string;
  readonly clock?: Clock;
  readonly signal: AbortSignal;
  readonly hooks: RunnerHooks;
}

export interface StartingPoint {
  /** `run-started` or `run-resumed`. */
  readonly event: EventPayload;
  /** Returns the steps that the run already has. Called once no other process can write to the run. */
  readonly prior: () => Promise<Result<ReadonlyMap<string, StepRecord>>>;
  /** The project before this process changes anything. Undefined if that is unknown. */
  readonly projectBefore?: ProjectBefore;
  /** The record of a resumed run, before it is resumed. */
  readonly before?: RunRecord;
  /** Whether the changes over the base are this very run's. Defaults to false. */
  readonly rollsBackOwn?: boolean;
}

/** Execute → publish → report. Locks the run for this process, and unlocks it however this ends. */
export async function execute(planned: PlannedRun, execution: Execution): Promise<Result<FinishedRun>> {
  const { state, stateDir } = planned.store;
  const { runId, options, from, hooks } = execution;
  const journal = await state.openJournal(runId);
  if (!journal.ok) return journal;
  let reporter: Reporter | undefined;
  const outcome = await runThenClose(
    async () => {
      const prior = await from.prior();
      if (!prior.ok) return prior;
      const plan = selectSteps(planned.plan, options.selectedSteps, prior.value, runId);
      if (!plan.ok) return plan;
      reporter = await hooks.reporter(plan.value);
      return followPlan({ ...planned, plan: plan.value }, execution, prior.value, journal.value, reporter);
    },
    () => journal.value.close(),
    async () => reporter?.close(),
  );
  if (!outcome.ok) return outcome;
  const record = await state.findRun(runId);
  if (!record.ok) return record.error.reason === "run-not-found" ? err(stateGone(stateDir)) : record;
  const { status, failure } = outcome.value;
  return ok({ planned, run: record.value, status, ...defined({ failure }) });
}

/** Runs `work`, then closes, even after a bug. An error from `work` takes precedence over one from `close`. */
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
  const { plan, store, read, start, isolation, env } = planned;
  const { runId, from, hooks, clock = systemClock } = execution;
  const { blobs, redactor, stateDir } = store;
  const traceEnv = traceEnvironment(env, runId);
  const alerts = alertsOf(planned, runId, from.before);
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
  const first = await journal.append([from.event]);
  if (!first.ok) return first;
  notifyReporters(first.value);
  const { publish: publications } = plan.pipeline;
  const outcome = await executePlan({
    plan,
    run: {
      runId,
      options: execution.options,
      prior,
      contractFiles: planned.project.contractFiles,
      signal: execution.signal,
      ...defined({ projectBefore: from.projectBefore, input: execution.input }),
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
        ...defined({ files: start.files }),
      }),
      adapters,
      contractTypes,
      changes: changesPort(store, read.root, start.rollback, from.rollsBackOwn === true),
      trustedFiles: trustedFilesOf(planned),
      clock,
      random: Math.random,
    },
    hooks: {
      notifyReporters,
      onUsage: (used) => reporter.onUsage?.(used),
      fingerprintOf: planned.fingerprintOf,
      findCachedResult: cacheLookup(planned, execution),
      projectUnchanged: changeWatch(planned, () => attemptsInPlace),
      projectNow: () => projectNow(planned),
      ...(publications.length === 0
        ? {}
        : {
            publishArtifacts: (artifacts) =>
              publishArtifacts({ publications, artifacts, blobs, publishers: hooks.publishers ?? noPublisher }),
          }),
    },
    attempts: {
      secretsOf: (step) => secretsOf(step, env),
      traceEnv: (step, attempt) => traceEnv(step.id, attempt),
      assemblePrompt,
      openLog: (step, attempt) => {
        const path = `${stateDir}/logs/${runId}/${step.id}.${attempt}.log`;
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

async function recordingOf(planned: PlannedRun, { record, options, input }: Execution): Promise<Recording | undefined> {
  if (record === undefined) return undefined;
  const { selectedSteps } = options;
  return (await import("./record-run.ts")).recordRun(planned, { record, ...defined({ selectedSteps }) }, input);
}

function cacheLookup({ cachedResults, start }: PlannedRun, { reuse }: Execution): NonNullable<RunHooks["findCachedResult"]> {
  return (step, fingerprint) =>
    reuse === "always" || (reuse === "declared" && step.reuse)
      ? findCachedResult(step, fingerprint, cachedResults, start.tree)
      : { kind: "new" };
}

/** Stores the definition and the input, and returns `run-started`. */
async function runStarted(planned: PlannedRun, options: RunOptions, { input, settings }: RunRequest): Promise<Result<EventPayload>> {
  const { store, plan, start } = planned;
  const definition = await pinDefinition(planned);
  if (!definition.ok) return definition;
  if (input !== undefined) {
    const stored = await store.blobs.put(Buffer.from(store.redactor.text(input)));
    if (!stored.ok) return stored;
  }
  const { name, version } = plan.pipeline;
  const { selectedSteps } = settings;
  return ok({
    type: "run-started",
    pipeline: name,
    ...defined({ version }),
    options,
    base: start.base,
    ...definition.value,
    ...(selectedSteps === undefined ? {} : { part: [...selectedSteps] }),
  });
}

function optionsOf({ settings, input }: RunRequest, planned: PlannedRun): RunOptions {
  const { read, plan, store } = planned;
  return {
    files: [...read.files],
    ...defined({ environment: read.environment, adapter: read.adapter }),
    concurrency: settings.concurrency ?? plan.pipeline.concurrency ?? defaultConcurrency(),
    onFailure: settings.onFailure,
    reuse: isReusing(settings),
    apply: settings.apply,
    ...(input === undefined ? {} : { input: digestOfBytes(store.redactor.text(input)) }),
  };
}

function defaultConcurrency(): number {
  return Math.min(8, Math.max(1, availableParallelism()));
}

function secretsOf(step: Step, env: Environment): Record<string, string> {
  return Object.fromEntries(step.secrets.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
