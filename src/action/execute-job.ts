/** Executes a job's run: restores state, decides which run to start or resume, executes it, and saves state and outputs. */

import { setOutput } from "@actions/core";
import { chooseReporter } from "../cli/choose-reporter.ts";
import { finishRun } from "../cli/finish-run.ts";
import { defined } from "../core/defined.ts";
import type { Failure } from "../core/failure.ts";
import { describeFailure } from "../core/failures.ts";
import type { Plan } from "../core/plan.ts";
import type { Reporter } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { type RunCommit, runCommitOf } from "../core/run-commit.ts";
import type { RunRecord } from "../core/state.ts";
import type { RunStore } from "../engine/open-project.ts";
import { resumeRun } from "../engine/resume-run.ts";
import { type FinishedRun, runPipeline } from "../engine/run-pipeline.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import { projectChangedText } from "../reporters/console/render-resume-notices.ts";
import { multiplexReporter } from "../reporters/multiplex.ts";
import { checkedOutIn } from "./checked-out.ts";
import { githubReporters, publishersOf, type ReportsRequest } from "./github-reports.ts";
import { setRunOutputs } from "./job-outputs.ts";
import type { JobParts } from "./job-parts.ts";
import type { JobProject } from "./job-project.ts";
import { type Decision, type DecisionRequest, decideRun } from "./job-run.ts";
import type { JobSource } from "./job-source.ts";
import type { JobState } from "./job-state.ts";
import { savePostState } from "./post-state.ts";
import { type RunIdentity, runIdOf } from "./run-identity.ts";
import { unprotectedScripts } from "./unprotected-scripts.ts";

export interface JobExecution {
  readonly job: JobParts;
  readonly project: JobProject;
  readonly identity: RunIdentity;
  readonly store: RunStore;
  readonly state: JobState;
  /** The commit that the manifest is read from. Undefined if that is the checkout. */
  readonly from?: Pick<JobSource, "files">;
  /** Reports a failure that occurs before the run's reporters are open. Returns the exit status. */
  readonly fail: (failure: Failure) => Promise<number>;
}

/** Executes the job's steps. Returns the exit status. */
export async function executeJob(execution: JobExecution): Promise<number> {
  const { store, state } = execution;
  const { io, log, temp, inputs, context } = execution.job;
  const [chosen, checkedOut] = await Promise.all([restoreAndDecide(execution), checkedOutIn(execution.project.read.root)]);
  const { decision } = chosen;
  if (decision.kind === "start" && inputs.command === "resume") {
    return execution.fail({ reason: "run-not-found", selector: execution.identity.pipeline, candidates: [] });
  }
  savePostState("run", decision.run, log.warn);
  const uploads = state.uploads(store, io.signal);
  const baseCommit = decision.kind === "resume" ? (await chosen.find(decision.run))?.base.head : undefined;
  const notes = await notesOf(execution);
  for (const note of notes) log.warn(`${note}.`);
  const reports = reportsOf(execution, runCommitOf(context, checkedOut, baseCommit), notes);
  let isReported = false;
  const printedFailures = new Set<string>();
  const reporter = async (plan: Plan): Promise<Reporter> => {
    isReported = true;
    return multiplexReporter(
      [
        await chooseReporter(plan, io, { json: false, verbose: true, printedFailures, ...defined({ part: inputs.steps }) }),
        outputsReporter(execution, decision),
        ...(uploads === undefined ? [] : [uploads]),
        ...githubReporters(reports, plan),
      ],
      log.warn,
    );
  };
  try {
    const ended = await perform(execution, chosen, { reporter, publishers: publishersOf(reports) });
    if (!ended.ok) {
      if (!isReported) return await execution.fail(ended.error);
      setOutput("status", "error");
      return log.fail(ended.error);
    }
    const { run, finished } = ended.value;
    if (finished === undefined) io.stderr.write(`run ${run.id} has already passed: nothing to resume\n`);
    const how = { json: false, resume: "press “Re-run failed jobs”", printedFailures, warn: log.warn };
    const status = finished === undefined ? 0 : await finishRun(io, finished, how);
    // Sets the outputs again, with the names of artifacts uploaded since.
    await setRunOutputs({
      run,
      resumed: isResumed(decision, run),
      temp,
      nameOf: (digest) => uploads?.nameOf(digest) ?? state.nameOf(digest),
      warn: log.warn,
    });
    return status;
  } finally {
    await saveAtEnd(execution, uploads);
  }
}

/** Sets the outputs as soon as the run ends, because the job may be cancelled during uploads and reports. */
function outputsReporter({ store, state, job: { temp } }: JobExecution, decision: Decision): Reporter {
  let id = "";
  return {
    name: "outputs",
    onEvent: (event) => {
      id = event.run;
    },
    async close() {
      const record = await store.state.findRun(id);
      if (!record.ok || record.value.id !== id) return;
      const outputs = { run: record.value, resumed: isResumed(decision, record.value), temp, nameOf: state.nameOf, warn: () => undefined };
      // An error here recurs when the outputs are set again, and then fails the job.
      await setRunOutputs(outputs).catch(() => undefined);
    },
  };
}

function isResumed({ kind }: Decision, { steps }: RunRecord): boolean {
  return kind === "resume" || steps.some(({ reusedFrom }) => reusedFrom !== undefined);
}

/** A cancelled job has only seconds left, so it leaves saving to `post`. A failed save is not repeated there. */
async function saveAtEnd({ job: { io, log }, store, state }: JobExecution, uploads: ReturnType<JobState["uploads"]>): Promise<void> {
  const attempted = !io.signal.aborted;
  const saved = attempted && (await state.save(store, 1));
  savePostState("cache", attempted ? "attempted" : "", log.warn);
  savePostState("saved", String(saved && (uploads === undefined || uploads.complete())), log.warn);
}

interface Chosen extends Pick<DecisionRequest, "find"> {
  readonly decision: Decision;
}

async function restoreAndDecide({ job, identity, store, state }: JobExecution): Promise<Chosen> {
  const { context, inputs, log } = job;
  const { cache, parts } = await state.restore(store, runIdOf(identity));
  const find = async (run: string): Promise<RunRecord | undefined> => {
    // Opening the database is slow, and a run without journals cannot be resumed.
    if (!(await store.state.readEvents(run)).ok) return undefined;
    const record = await store.state.findRun(run);
    return record.ok && record.value.id === run ? record.value : undefined;
  };
  const decision = await decideRun({ identity, resume: inputs.resume, part: inputs.steps !== undefined, find });
  if (decision.kind === "start" && context.runAttempt > 1 && !decision.again && decision.run === runIdOf(identity)) {
    const reason = !cache && parts === 0 ? "neither the cache nor the artifacts contain" : "the restored state does not contain";
    log.notice(`Attempt ${context.runAttempt} starts a new run: ${reason} the run of an earlier attempt.`);
  }
  return { decision, find };
}

/** Where a run's events and artifacts go. */
interface Outside {
  readonly reporter: (plan: Plan) => Promise<Reporter>;
  readonly publishers: ReturnType<typeof publishersOf>;
}

/** Warnings for readers of the verdict, as sentences without a full stop. */
async function notesOf({ from, project }: JobExecution): Promise<readonly string[]> {
  return from === undefined ? [] : unprotectedScripts(project.pipeline, from.files, project.read.root);
}

function reportsOf({ job, store, project }: JobExecution, commit: RunCommit, notes: readonly string[]): ReportsRequest {
  return { job, store, commit, notes, pipeline: project.pipeline.name, root: project.read.root };
}

/** Resumes or starts a run. If it cannot be resumed, starts another one, unless the inputs name the run. */
async function perform(
  execution: JobExecution,
  { decision, find }: Chosen,
  outside: Outside,
): Promise<Result<{ readonly run: RunRecord; readonly finished?: FinishedRun }>> {
  const { identity, project } = execution;
  const { io, inputs, log } = execution.job;
  if (decision.kind === "start") return start(execution, decision, outside);
  const { input } = identity;
  const resumed = await resumeRun({
    project: project.request,
    selector: decision.run,
    steps: { ...defined({ selected: inputs.steps }), skip: [] },
    settings: {
      ...settingsOf(inputs),
      ...(inputs.apply === "auto" && inputs.steps === undefined ? {} : { apply: appliesTo(inputs) }),
    },
    trusted: {
      read: project.read,
      pipeline: project.pipeline,
      ...defined({ input }),
      anyInput: inputs.resume !== "auto" && input === undefined,
    },
    update: false,
    onNotice: (notices) => {
      if (notices.kind === "project-changed") io.stderr.write(projectChangedText(notices.runId, notices.affected));
    },
    signal: io.signal,
    hooks: outside,
  });
  if (resumed.ok || inputs.resume !== "auto") return resumed;
  const mismatch = resumed.error.reason === "run-mismatch";
  if (!isGone(resumed.error) && !(mismatch && inputs.command !== "resume")) return resumed;
  log.warn(
    mismatch ? mismatchText(resumed.error) : `Cannot resume run ${decision.run} because part of its state is missing; starting a new run.`,
  );
  const next = await decideRun({ identity, find, resume: "never", part: false });
  // After a change of the manifest, results are reused only if `reuse` allows it for any run.
  return start(execution, { kind: "start", run: next.run, again: !mismatch }, outside);
}

function mismatchText(failure: Failure): string {
  const { title, detail } = describeFailure(failure);
  return `${capitalized(title)} (${detail.join("; ")}). Starting a new run.`;
}

async function start(
  execution: JobExecution,
  { run, again, rerun }: Extract<Decision, { kind: "start" }>,
  outside: Outside,
): Promise<Result<{ readonly run: RunRecord; readonly finished: FinishedRun }>> {
  const { project } = execution;
  const { io, inputs, context } = execution.job;
  const reuse = inputs.reuse === "true" || (inputs.reuse === "auto" && (again || context.pull !== undefined));
  const finished = await runPipeline({
    project: project.request,
    runId: run,
    ...defined({ pipeline: inputs.pipeline, input: inputs.input }),
    settings: {
      ...settingsOf(inputs),
      ...defined({ selectedSteps: inputs.steps }),
      reuse,
      fresh: rerun === true,
      apply: appliesTo(inputs),
    },
    signal: io.signal,
    hooks: outside,
  });
  return finished.ok ? ok({ run: finished.value.run, finished: finished.value }) : finished;
}

function settingsOf({ concurrency, onFailure }: JobInputs) {
  return { ...defined({ concurrency }), onFailure, resetCircuit: false };
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function appliesTo({ apply, steps }: JobInputs): boolean {
  return apply === "auto" ? steps === undefined : apply === "true";
}

/** Whether the state that a resume needs is missing or damaged. */
function isGone({ reason }: Failure): boolean {
  return reason === "state-damaged" || reason === "state-unreadable" || reason === "run-not-found";
}
