/**
 * A job of a workflow, read once and understood: inputs → trust → project → what earlier attempts and jobs left → run or resume → outputs, and
 * state saved for those that come. What it saves and reports beside the run may fail; the run's verdict is the job's.
 */
import path from "node:path";
import { setOutput, setSecret } from "@actions/core";
import type { Failure } from "../model/failure.ts";
import type { GitHub } from "../model/github.ts";
import type { Io } from "../model/io.ts";
import type { WorkflowContext } from "../model/workflow-context.ts";
import { type JobInputs, readInputs } from "../platform/actions/inputs.ts";
import { forgetRunnerSecrets, forgetSecrets, withoutRunnerSecrets } from "../platform/actions/runner-secrets.ts";
import { openToolkit, type Toolkit } from "../platform/actions/toolkit.ts";
import { readEventCause, readWorkflowContext } from "../platform/actions/workflow-environment.ts";
import { systemClock } from "../platform/clock.ts";
import { lazyGitHub } from "../platform/github/lazy-client.ts";
import { executeJob } from "./execute-job.ts";
import { type JobLog, openJobLog } from "./job-log.ts";
import { readJobProject } from "./job-project.ts";
import { type JobServices, openJobServices } from "./job-services.ts";
import { type JobSource, openJobSource } from "./job-source.ts";
import { jobTemp } from "./job-state.ts";
import { judgeTrust, type Trusted } from "./job-trust.ts";
import { prepareState } from "./prepare-state.ts";
import { refuse } from "./refuse-job.ts";
import { reportInvalid } from "./report-invalid.ts";
import { forwardMask } from "./toolkit-masks.ts";

/** Runs the job. Gives the exit status: the run's, 2 for wrong inputs, 0 or 1 for a refusal. Throws only for bugs. */
export async function runJob(io: Io, variables: Io["env"]): Promise<number> {
  const log = openJobLog(io);
  const inputs = readInputs();
  const context = readWorkflowContext(variables);
  if (!inputs.ok) return ended(log, inputs.error);
  if (!context.ok) return ended(log, context.error);
  mask(inputs.value.stateKey);
  const services = openJobServices(log.warn);
  const github = gitHubOf(inputs.value, context.value, io, services);
  const trust = await judgeTrust({
    inputs: inputs.value,
    context: context.value,
    cause: readEventCause(variables),
    ...(github === undefined ? {} : { questions: github }),
  });
  if (trust.kind === "refused")
    return refuse({ log, inputs: inputs.value, context: context.value, ...(github === undefined ? {} : { github }) }, trust);
  forgetRunnerSecrets();
  const job = {
    io: { ...io, env: withoutRunnerSecrets(variables) },
    log,
    inputs: inputs.value,
    ...trust,
    services,
    ...(github === undefined ? {} : { github }),
  };
  const toolkit = openToolkit({ env: variables, onLine: forwardMask(io), clock: systemClock, services });
  try {
    return await withSource(job, variables, toolkit);
  } finally {
    services.report();
    await toolkit.close();
  }
}

interface Job extends Trusted {
  readonly services: JobServices;
  readonly io: Io;
  readonly log: JobLog;
  readonly inputs: JobInputs;
  readonly github?: GitHub;
}

/** Opens the source of the manifest for as long as the job lasts. */
async function withSource(job: Job, variables: Io["env"], toolkit: Toolkit): Promise<number> {
  const { io, log, manifestFrom } = job;
  const workspace = path.resolve(variables["GITHUB_WORKSPACE"] || io.cwd);
  if (manifestFrom === undefined) return withProject(job, { variables, toolkit, workspace });
  const from = await openJobSource({
    ...job,
    workspace,
    commit: manifestFrom,
    temp: jobTemp(variables, workspace),
    env: io.env,
    signal: io.signal,
  });
  if (!from.ok) return ended(log, from.error);
  try {
    return await withProject(job, { variables, toolkit, workspace, from: from.value });
  } finally {
    await from.value.close();
  }
}

interface Surroundings {
  readonly variables: Io["env"];
  readonly toolkit: Toolkit;
  /** The checkout, absolute. */
  readonly workspace: string;
  /** Undefined if the manifest is read from the checkout. */
  readonly from?: JobSource;
}

async function withProject(job: Job, { variables, toolkit, workspace, from }: Surroundings): Promise<number> {
  const { io, log, inputs } = job;
  const project = await readJobProject({ ...job, workspace, env: io.env, signal: io.signal, ...(from === undefined ? {} : { from }) });
  const executes = inputs.command === "run" || inputs.command === "resume";
  const failure = from?.failure();
  if (failure !== undefined) return ended(log, failure);
  // The other commands say themselves what is wrong with a manifest.
  if (!project.ok && executes) return reportInvalid(io, project.error) ?? ended(log, project.error);
  if (!project.ok) return words(job, jobTemp(variables, workspace), from);
  const secrets = project.value.read.project?.secrets ?? [];
  for (const name of secrets) mask(io.env[name]);
  forgetSecrets(secrets);
  const prepared = await prepareState({ ...job, project: project.value, workspace, variables, toolkit });
  if (!prepared.ok) return ended(log, prepared.error);
  const { request, state, memory, temp } = prepared.value;
  if (executes)
    return executeJob({
      ...job,
      ...prepared.value,
      project: { ...project.value, request },
      workspace,
      summaryFile: variables["GITHUB_STEP_SUMMARY"],
    });
  // Tests have a state of their own.
  if (inputs.command !== "test") await state.restore(memory, "");
  return words(job, temp, from);
}

/** Runs a command that executes no steps. Most jobs do not need the command line, so it is loaded here. */
async function words({ io, inputs, log }: Job, temp: string, from: JobSource | undefined): Promise<number> {
  const { runWords } = await import("./job-words.ts");
  if (from === undefined) return runWords(io, inputs, temp);
  const { source, location } = from;
  const status = await runWords(io, inputs, temp, { source, location });
  const failure = from.failure();
  return failure === undefined ? status : ended(log, failure);
}

/** Nothing without a token. */
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
