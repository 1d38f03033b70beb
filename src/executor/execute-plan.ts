/**
 * Executes a plan, from the first ready step to `run-finished`. Attempts, retries, reuse and circuits are in the modules beside it. It
 * neither plans nor closes the journal.
 */
import { defined } from "../core/defined.ts";
import type { EventPayload } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";
import { breakerKey } from "./circuit.ts";
import type { ExecuteContext, ProjectNow, RunOutcome } from "./context.ts";
import { Dispatcher } from "./dispatch.ts";
import { mergeAndApply } from "./merge-and-apply.ts";
import { RunState } from "./run-state.ts";
import { blobsVerify } from "./verified-blobs.ts";

/** How long a cancelled run waits for the project's tree, in milliseconds. A cancelled run must end within 5 s. */
const projectTimeoutMs = 1000;

/** Steps whose blobs are verified in parallel when a run is resumed. */
const verifiedInParallel = 16;

/**
 * Runs every step of the plan to its end. Fails (`state-unwritable`, `state-unreadable`) when the journal cannot be written or the
 * window of a breaker cannot be read. A run whose steps fail is an outcome, not an error. Throws only for bugs. All children are
 * stopped in every case.
 */
export async function executePlan(context: ExecuteContext): Promise<Result<RunOutcome>> {
  const { clock } = context.services;
  const startedAt = clock.monotonic();
  const run = new RunState(context);
  const dispatcher = new Dispatcher(run);
  await restorePrior(run);
  await runSteps(run, dispatcher);
  if (dispatcher.bug !== undefined) throw dispatcher.bug.thrown;
  if (run.fatalError !== undefined) return err(run.fatalError);
  if (run.openSteps > 0) throw new Error(`${run.openSteps} steps can never start`);
  const { projectBefore, options } = context.run;
  const beforeApply = dispatcher.hasIsolatedAttempts && projectBefore !== undefined ? { now: await projectAtEnd(run) } : undefined;
  const { status, failure, wroteProject } = await finishRun(run, dispatcher.budgetFailure);
  if (run.fatalError !== undefined) return err(run.fatalError);
  const tree = beforeApply !== undefined && !wroteProject ? beforeApply.now?.tree : (await projectAtEnd(run))?.tree;
  const durationMs = clock.monotonic() - startedAt;
  const { selectedSteps } = options;
  const finished: EventPayload = {
    type: "run-finished",
    status,
    durationMs,
    ...defined({ tree, failure }),
    ...(beforeApply !== undefined && hasProjectChanged(context, beforeApply.now) ? { moved: true } : {}),
    ...(selectedSteps === undefined ? {} : { part: [...selectedSteps] }),
  };
  if (!(await run.append([finished])) && run.fatalError !== undefined) return err(run.fatalError);
  return ok({ status, durationMs, ...defined({ failure }) });
}

/** Whether the project may differ from before the first attempt. `now`: before the run's own changes are applied. */
function hasProjectChanged({ run: { projectBefore } }: ExecuteContext, now: ProjectNow | undefined): boolean {
  return projectBefore === undefined || projectBefore.drifted || projectBefore.tree !== now?.tree || now.ignoredChanged;
}

/** Starts the run, and resolves when no work is pending any more. */
async function runSteps(run: RunState, dispatcher: Dispatcher): Promise<void> {
  const { signal, options } = run.context.run;
  const ended = new AbortController();
  const idle = dispatcher.untilIdle();
  const cancel = () => dispatcher.track(dispatcher.advance(run.cancel(String(signal.reason))));
  if (signal.aborted) cancel();
  else {
    signal.addEventListener("abort", cancel, { once: true });
    const excluded = run.skipExcluded(options.excludedSteps ?? new Set());
    dispatcher.track(dispatcher.advance([...circuitResets(run.context), ...excluded]));
    dispatcher.stopIfExhausted();
    limitTime(run, dispatcher, ended.signal);
  }
  await idle;
  ended.abort();
  signal.removeEventListener("abort", cancel);
}

/** Ends the run when it exceeds its time limit. */
function limitTime(run: RunState, dispatcher: Dispatcher, ended: AbortSignal): void {
  const { plan, services } = run.context;
  const limit = plan.pipeline.budget?.timeoutMs;
  if (limit === undefined) return;
  void services.clock.sleep(limit, ended).then(() => {
    if (!ended.aborted) dispatcher.stopIfExhausted({ reason: "budget-exceeded", what: "time", limit, used: limit, of: "run" });
  });
}

/**
 * Restores steps that passed before: one is kept if its blobs verify and everything it builds on is kept. After a change of the
 * definition each step is checked when its turn comes.
 */
async function restorePrior(run: RunState): Promise<void> {
  const { plan, run: inputs, services } = run.context;
  const passed = plan.steps.flatMap(({ step }) => inputs.prior.get(step.id) ?? []).filter((record) => record.status === "passed");
  for (let from = 0; from < passed.length; from += verifiedInParallel) {
    const records = passed.slice(from, from + verifiedInParallel);
    const verified = await Promise.all(
      records.map(async (record) => (await blobsVerify(services.blobs, record.artifacts)) && run.changes.hasAllBlobs(record)),
    );
    for (const [index, record] of records.entries()) if (verified[index] === true) run.addRestorable(record);
  }
  if (inputs.options.redefined !== true) run.restorePassed();
}

function circuitResets({ plan, run: { options, contractFiles } }: ExecuteContext): EventPayload[] {
  if (!options.resetCircuit) return [];
  const guarded = new Map<string, { readonly contract: string; readonly steps: string[] }>();
  for (const { step } of plan.steps) {
    for (const contract of step.contracts) {
      if (contract.breaker === undefined) continue;
      const key = breakerKey(contract, step.persona.digest, contractFiles);
      const entry = guarded.get(key);
      if (entry === undefined) guarded.set(key, { contract: contract.name, steps: [step.id] });
      else if (!entry.steps.includes(step.id)) entry.steps.push(step.id);
    }
  }
  return [...guarded].map(([breaker, { contract, steps }]) => ({ type: "circuit-reset", breaker, contract, steps }));
}

interface RunEnd extends Pick<RunOutcome, "status" | "failure"> {
  /** Whether the run's changes may have been written to the project. */
  readonly wroteProject: boolean;
}

/** Applies the changes and publishes the artifacts of a run whose steps passed, and determines its status. */
async function finishRun(run: RunState, budgetFailure: Failure | undefined): Promise<RunEnd> {
  const { plan, run: inputs } = run.context;
  const failed = (failure: Failure, wroteProject = false): RunEnd => ({ status: "failed", failure, wroteProject });
  if (run.cancelledBy !== undefined)
    return { status: "cancelled", failure: { reason: "cancelled", by: run.cancelledBy }, wroteProject: false };
  if (budgetFailure !== undefined) return failed(budgetFailure);
  if (run.failedSteps.length > 0) return failed({ reason: "run-failed", run: inputs.runId, steps: [...run.failedSteps] });
  // Selected steps merge nothing, unless they are the last ones.
  if (plan.steps.length < plan.pipeline.steps.length) return { status: "passed", wroteProject: false };
  const { wroteProject, failure = await publishArtifacts(run) } = await mergeAndApply(run);
  return failure === undefined ? { status: "passed", wroteProject } : failed(failure, wroteProject);
}

/** Returns why the run fails after all, if it does. A cancellation meanwhile does not revoke what is published. */
async function publishArtifacts(run: RunState): Promise<Failure | undefined> {
  const published = await run.context.hooks.publishArtifacts?.(run.artifacts);
  if (published === undefined) return undefined;
  return (await run.append(published.events)) ? published.failure : run.fatalError;
}

/** The project, or undefined if a cancelled run would wait too long for it: only reuse needs it. */
async function projectAtEnd(run: RunState): Promise<ProjectNow | undefined> {
  const { hooks, services } = run.context;
  if (run.cancelledBy === undefined) return hooks.projectNow();
  const timer = new AbortController();
  const timeout = services.clock.sleep(projectTimeoutMs, timer.signal).then(() => undefined);
  const now = await Promise.race([hooks.projectNow(), timeout]);
  timer.abort();
  return now;
}
