/**
 * Executes a plan: from the first step that is ready to `run-finished`. Starts attempts, retries them, reuses earlier work,
 * and stops when it must; every decision of detail is in the modules beside it. It neither plans nor closes the journal.
 */
import { defined } from "../core/defined.ts";
import type { EventPayload } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";
import { changesIntact } from "./changes.ts";
import { breakerKey } from "./circuit.ts";
import { cancelRun, concludeLeftOut, keepPassed } from "./conclude.ts";
import type { ExecuteContext, ProjectNow, RunOutcome } from "./context.ts";
import { advance, endIfExhausted } from "./dispatch.ts";
import { mergeAndApply } from "./merge-and-apply.ts";
import { appendAndNotify, createRun, type Run, track } from "./run-state.ts";
import { blobsVerify } from "./verified-blobs.ts";

/** How long a cancelled run waits for the project's tree: it has to end within 5 s (design §4). */
const treePatienceMs = 1000;

/** Steps whose blobs are verified at once when a run is resumed. */
const verifiedAtOnce = 16;

/**
 * Runs every step of the plan to its end. Fails (`state-unwritable`, `state-unreadable`) when the journal cannot be written
 * or a breaker's window cannot be read, with all children stopped; a run whose steps fail is an outcome, not an error.
 * Throws only for bugs, also with all children stopped.
 */
export async function executePlan(context: ExecuteContext): Promise<Result<RunOutcome>> {
  const began = context.clock.monotonic();
  const run = createRun(context);
  await restorePrior(run);
  await untilEnd(run);
  if (run.bug !== undefined) throw run.bug.thrown;
  if (run.lost !== undefined) return err(run.lost);
  if (run.schedule.open > 0) throw new Error(`${run.schedule.open} steps can never start`);
  const before = run.isolated && context.project !== undefined ? { now: await projectAtEnd(run) } : undefined;
  const { status, failure } = await endingOf(run);
  if (run.lost !== undefined) return err(run.lost);
  const tree = before !== undefined && !run.written ? before.now?.tree : (await projectAtEnd(run))?.tree;
  const durationMs = context.clock.monotonic() - began;
  const reason = failure === undefined ? {} : { failure };
  const { part } = context.options;
  const finished: EventPayload = {
    type: "run-finished",
    status,
    durationMs,
    ...defined({ tree }),
    ...reason,
    ...(before !== undefined && hasMoved(context, before.now) ? { moved: true } : {}),
    ...(part === undefined ? {} : { part: [...part] }),
  };
  if (!(await appendAndNotify(run, [finished])) && run.lost !== undefined) return err(run.lost);
  return ok({ status, durationMs, ...reason });
}

/** Whether the project is not known to be what it was before the first attempt. `now`: before the run's own changes are written. */
function hasMoved({ project }: ExecuteContext, now: ProjectNow | undefined): boolean {
  return project === undefined || project.drifted || project.tree !== now?.tree || now.ignoredChanged;
}

/** Resolves once nothing is under way any more. */
async function untilEnd(run: Run): Promise<void> {
  const { signal } = run.context;
  const ended = new Promise<void>((resolve) => {
    run.atEnd = resolve;
  });
  const cancel = () => track(run, advance(run, cancelRun(run, String(signal.reason))));
  if (signal.aborted) cancel();
  else {
    signal.addEventListener("abort", cancel, { once: true });
    const excluded = concludeLeftOut(run, run.context.options.leaveOut ?? new Set());
    track(run, advance(run, [...resets(run.context), ...excluded]));
    endIfExhausted(run);
    limitTime(run);
  }
  await ended;
  run.over.abort();
  signal.removeEventListener("abort", cancel);
}

/** Ends the run when it takes longer than it may. */
function limitTime(run: Run): void {
  const { clock, plan } = run.context;
  const limit = plan.pipeline.budget?.timeoutMs;
  if (limit === undefined) return;
  void clock.sleep(limit, run.over.signal).then(() => {
    if (!run.over.signal.aborted) endIfExhausted(run, { reason: "budget-exceeded", what: "time", limit, used: limit, of: "run" });
  });
}

/**
 * Takes what this run already has: a passed step stands when its blobs do, and everything it builds on stands too. Under another
 * definition each is looked at when its turn comes.
 */
async function restorePrior(run: Run): Promise<void> {
  const { plan, prior, blobs } = run.context;
  const passed = plan.steps.flatMap(({ step }) => prior.get(step.id) ?? []).filter((record) => record.status === "passed");
  for (let from = 0; from < passed.length; from += verifiedAtOnce) {
    const some = passed.slice(from, from + verifiedAtOnce);
    const stand = await Promise.all(some.map(async (record) => (await blobsVerify(blobs, record.artifacts)) && changesIntact(run, record)));
    for (const [index, record] of some.entries()) if (stand[index] === true) run.restorable.set(record.id, record);
  }
  if (run.context.options.redefined === true) return;
  for (const { step } of plan.steps) {
    const record = run.restorable.get(step.id);
    if (record === undefined || run.schedule.nodes.get(step.id)?.state !== "ready") continue;
    run.restorable.delete(step.id);
    keepPassed(run, step, record);
  }
}

function resets(context: ExecuteContext): EventPayload[] {
  if (!context.options.resetCircuit) return [];
  const guarded = new Map<string, { readonly contract: string; readonly steps: string[] }>();
  for (const { step } of context.plan.steps) {
    for (const contract of step.contracts) {
      if (contract.breaker === undefined) continue;
      const key = breakerKey(contract, step.persona.digest, context.files);
      const known = guarded.get(key);
      if (known === undefined) guarded.set(key, { contract: contract.name, steps: [step.id] });
      else if (!known.steps.includes(step.id)) known.steps.push(step.id);
    }
  }
  return [...guarded].map(([breaker, { contract, steps }]) => ({ type: "circuit-reset", breaker, contract, steps }));
}

async function endingOf(run: Run): Promise<{ status: RunOutcome["status"]; failure?: Failure }> {
  if (run.cancelledBy !== undefined) return { status: "cancelled", failure: { reason: "cancelled", by: run.cancelledBy } };
  if (run.exhausted !== undefined) return { status: "failed", failure: run.exhausted };
  if (run.faults.length === 0) {
    // A part ends with nothing to merge, unless it is the last one.
    if (run.context.plan.steps.length < run.context.plan.pipeline.steps.length) return { status: "passed" };
    const failure = (await mergeAndApply(run)) ?? (await publishArtifacts(run));
    return failure === undefined ? { status: "passed" } : { status: "failed", failure };
  }
  return { status: "failed", failure: { reason: "run-failed", run: run.context.run, steps: [...run.faults] } };
}

/** Gives why the run does not pass after all. A cancellation that comes meanwhile does not take back what is published. */
async function publishArtifacts(run: Run): Promise<Failure | undefined> {
  const published = await run.context.publishAll?.(run.artifacts);
  if (published === undefined) return undefined;
  return (await appendAndNotify(run, published.events)) ? published.failure : run.lost;
}

/** Only reuse needs the look, so a cancelled run does not wait for it long. */
async function projectAtEnd(run: Run): Promise<ProjectNow | undefined> {
  const { clock, projectNow: take } = run.context;
  if (run.cancelledBy === undefined) return take();
  const impatience = new AbortController();
  const late = clock.sleep(treePatienceMs, impatience.signal).then(() => undefined);
  const now = await Promise.race([take(), late]);
  impatience.abort();
  return now;
}
