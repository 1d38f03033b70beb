/**
 * Runs a job of a workflow: inputs → trust → project → restored state → run or resume → outputs → saved state. The run's
 * verdict is the job's; errors while saving or reporting are warnings.
 */
import path from "node:path";
import { setOutput, setSecret } from "@actions/core";
import { defined } from "../core/defined.ts";
import type { Failure } from "../core/failure.ts";
import type { GitHub } from "../core/github.ts";
import type { Io } from "../core/io.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import { unknownPart } from "../engine/step-selection.ts";
import { lazyGitHub } from "../github/client/lazy-client.ts";
import { type JobInputs, readJobInputs } from "../platform/actions/inputs.ts";
import { forgetRunnerSecrets, forgetSecrets, withoutRunnerSecrets } from "../platform/actions/runner-secrets.ts";
import { openToolkit, type Toolkit } from "../platform/actions/toolkit.ts";
import { readEventCause, readWorkflowContext } from "../platform/actions/workflow-environment.ts";
import { systemClock } from "../platform/clock.ts";
import { executeJob } from "./execute-job.ts";
import { type JobLog, openJobLog } from "./job-log.ts";
import type { JobParts } from "./job-parts.ts";
import { locateJobProject, readJobProject } from "./job-project.ts";
import { type JobServices, openJobServices } from "./job-services.ts";
import { type JobSource, openJobSource } from "./job-source.ts";
import { jobTemp } from "./job-state.ts";
import { judgeTrust, type Trusted } from "./job-trust.ts";
import type { NamedProject } from "./pipeline-name.ts";
import { savePostState } from "./post-state.ts";
import { prepareState } from "./prepare-state.ts";
import { refuse } from "./refuse-job.ts";
import { forwardMask } from "./toolkit-masks.ts";

/**
 * Runs the job. Returns the exit status: the run's, 2 for wrong inputs or an invalid manifest, 0 or 1 for a refusal. A failure
 * before the run is reported like a result (`report-failure.ts`). Throws only for bugs, which `post` reports.
 */
export async function runJob(io: Io, variables: Io["env"]): Promise<number> {
  const log = openJobLog(io);
  const { inputs, problem } = readJobInputs();
  const context = readWorkflowContext(variables);
  if (!context.ok) return ended(log, problem ?? context.error);
  mask(inputs.stateKey);
  const services = openJobServices(log.warn);
  const github = gitHubOf(inputs, context.value, io, services);
  const withToken = github === undefined ? {} : { github };
  const cause = readEventCause(variables);
  const trust = await judgeTrust({ inputs, context: context.value, cause, ...defined({ questions: github }) });
  if (trust.kind === "refused")
    return problem === undefined ? refuse({ log, inputs, context: context.value, ...withToken }, trust) : ended(log, problem);
  forgetRunnerSecrets();
  const workspace = path.resolve(variables["GITHUB_WORKSPACE"] || io.cwd);
  const { level, manifestFrom } = trust;
  const parts = {
    io: { ...io, env: withoutRunnerSecrets(variables) },
    log,
    inputs,
    context: trust.context,
    ...withToken,
    services,
    workspace,
    temp: jobTemp(variables, workspace),
    summaryFile: variables["GITHUB_STEP_SUMMARY"],
  };
  const job: Job = { parts, level, ...defined({ manifestFrom }) };
  if (problem !== undefined) return reportFailure(job, problem);
  const toolkit = openToolkit({ env: variables, onLine: forwardMask(io), clock: systemClock, services });
  try {
    return await withSource(job, variables, toolkit);
  } finally {
    services.report();
    await toolkit.close();
  }
}

interface Job extends Omit<Trusted, "context"> {
  readonly parts: JobParts;
}

/** Opens the source of the manifest for the duration of the job. */
async function withSource(job: Job, variables: Io["env"], toolkit: Toolkit): Promise<number> {
  const { parts, manifestFrom } = job;
  const { io } = parts;
  if (manifestFrom === undefined) return withProject(job, { variables, toolkit });
  const from = await openJobSource({ ...parts, commit: manifestFrom, env: io.env, signal: io.signal });
  if (!from.ok) return reportFailure(job, from.error);
  try {
    return await withProject(job, { variables, toolkit, from: from.value });
  } finally {
    await from.value.close();
  }
}

interface JobContext {
  readonly variables: Io["env"];
  readonly toolkit: Toolkit;
  /** Undefined if the manifest is read from the checkout. */
  readonly from?: JobSource;
}

async function withProject(job: Job, { variables, toolkit, from }: JobContext): Promise<number> {
  const { parts, level } = job;
  const { io, inputs, log } = parts;
  const given = from === undefined ? {} : { from };
  const projectRequest = { ...parts, env: io.env, signal: io.signal, ...given };
  const located = locateJobProject(projectRequest);
  if (!located.ok) return reportFailure(job, located.error, given);
  const executes = inputs.command === "run" || inputs.command === "resume";
  const saveProject = (saved: NamedProject) => {
    if (executes) savePostState("reports", JSON.stringify(saved), log.warn);
  };
  // A fork's checkout must not determine the pipeline's name.
  saveProject({ root: located.value.root, ...(from === undefined ? { files: located.value.files } : {}) });
  const project = await readJobProject(projectRequest, located.value);
  const failure = from?.failure();
  if (failure !== undefined) return reportFailure(job, failure, { ...located.value, ...given });
  // The other commands report an invalid manifest themselves.
  if (!project.ok) return executes ? reportFailure(job, project.error, { ...located.value, ...given }) : runCommand(job, from);
  const secrets = project.value.read.project?.secrets ?? [];
  for (const name of secrets) mask(io.env[name]);
  forgetSecrets(secrets);
  const named = { ...located.value, ...given, pipeline: project.value.pipeline.name };
  saveProject({ root: named.root, pipeline: named.pipeline });
  const fail = (error: Failure) => reportFailure(job, error, named);
  const unknown = unknownPart(project.value, inputs.steps);
  if (executes && unknown !== undefined) return fail(unknown);
  const prepared = await prepareState({ ...parts, level, project: project.value, variables, toolkit });
  if (!prepared.ok) return fail(prepared.error);
  const { identity, request, state, store, temp } = prepared.value;
  if (executes) {
    const executed = { project: { ...project.value, request }, identity, store, state, ...given, fail };
    return executeJob({ ...executed, job: { ...parts, temp } });
  }
  // `test` uses its own state.
  if (inputs.command !== "test") await state.restore(store, "");
  return runCommand(job, from);
}

/** Loads the module on demand, because most jobs do start their run. */
async function reportFailure({ parts }: Job, failure: Failure, project: NamedProject = {}): Promise<number> {
  const reports = await import("./report-failure.ts");
  return reports.reportFailure(parts, failure, project);
}

/** Runs a command that executes no steps. Loads the command line on demand, because most jobs do not need it. */
async function runCommand({ parts }: Job, from: JobSource | undefined): Promise<number> {
  const { io, inputs, log, temp, summaryFile } = parts;
  const { runCliCommand } = await import("./run-cli-command.ts");
  const request = { io, inputs, temp, hasSummary: summaryFile !== undefined && summaryFile !== "" };
  if (from === undefined) return runCliCommand(request);
  const { source, location } = from;
  const status = await runCliCommand({ ...request, project: { source, location } });
  const failure = from.failure();
  return failure === undefined ? status : ended(log, failure);
}

/** Undefined without a token. */
function gitHubOf(
  { token }: JobInputs,
  { owner, repo, apiUrl }: WorkflowContext,
  { signal, secrets }: Io,
  { api: health }: JobServices,
): GitHub | undefined {
  const redact = (text: string) => secrets.redactor().text(text);
  return token === undefined ? undefined : lazyGitHub({ token, owner, repo, apiUrl, clock: systemClock, health, redact, signal });
}

function mask(secret: string | undefined): void {
  for (const line of secret?.split(/\r?\n/) ?? []) if (line.trim() !== "") setSecret(line);
}

function ended(log: JobLog, failure: Failure): number {
  setOutput("status", "error");
  return log.fail(failure);
}
