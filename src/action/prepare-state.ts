/** Opens the state of a job: computes the run's identity, rejects untrusted local state, and opens cache and artifacts. */
import type { BlobFetcher } from "../blobs/with-fallback.ts";
import { defined } from "../core/defined.ts";
import type { GitHub } from "../core/github.ts";
import type { Io } from "../core/io.ts";
import { ok, type Result } from "../core/result.ts";
import type { TrustLevel } from "../core/trust-level.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import { openStore, type ProjectRequest, type RunStore } from "../engine/open-project.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import type { Toolkit } from "../platform/actions/toolkit.ts";
import { lineSigner } from "../store/line-signature.ts";
import type { JobLog } from "./job-log.ts";
import type { JobProject } from "./job-project.ts";
import { type JobState, jobTemp, openJobState } from "./job-state.ts";
import { prepareLocalState } from "./local-state.ts";
import { savePostState } from "./post-state.ts";
import { identityOf, projectKey, type RunIdentity, runIdOf } from "./run-identity.ts";

export interface PrepareRequest {
  readonly inputs: JobInputs;
  readonly context: WorkflowContext;
  readonly project: JobProject;
  readonly level: TrustLevel;
  /** The checkout. */
  readonly workspace: string;
  readonly variables: Io["env"];
  readonly toolkit: Toolkit;
  readonly github?: GitHub;
  readonly log: JobLog;
}

export interface PreparedState {
  readonly identity: RunIdentity;
  readonly state: JobState;
  readonly store: RunStore;
  /** The project's request, with the blob fetcher and the signing key. */
  readonly request: ProjectRequest;
  /** A temporary directory of the job. */
  readonly temp: string;
}

/** Fails with `state-unwritable`. */
export async function prepareState(prepare: PrepareRequest): Promise<Result<PreparedState>> {
  const { inputs, context, level, project, workspace, variables, toolkit, github, log } = prepare;
  const { read, pipeline } = project;
  const { stateKey } = inputs;
  const signed = stateKey === undefined ? project.request : { ...project.request, stateSettings: { stateKey } };
  const { stateDir, redactor } = openStore(read, signed);
  const moved = await prepareLocalState({
    stateDir,
    root: read.root,
    workspace,
    job: `${context.runId}/${context.runAttempt}/${context.job}`,
    runnerTemp: variables["RUNNER_TEMP"],
    ...(stateKey === undefined ? {} : { signer: lineSigner(stateKey) }),
  });
  if (!moved.ok) return moved;
  if (moved.value !== undefined)
    log.warn(`state in the checkout was not written by this job and is not used; it was moved to ${moved.value}`);
  const temp = jobTemp(variables, stateDir);
  const identity = identityOf({ context, inputs, project, workspace, redact: (text) => redactor.text(text) });
  const subject = { project: projectKey(identity.manifest), pipeline: pipeline.name, run: runIdOf(identity), level };
  const state = await openJobState({
    inputs,
    context,
    toolkit,
    stateDir,
    workspace,
    temp,
    subject,
    warn: log.warn,
    ...defined({ github }),
  });
  const request = state.fetchBlob === undefined ? signed : withFetcher(signed, state.fetchBlob);
  savePostState("state", JSON.stringify({ stateDir, workspace, subject }), log.warn);
  return ok({ identity, state, store: openStore(read, request), request, temp });
}

function withFetcher(request: ProjectRequest, fetchBlob: BlobFetcher): ProjectRequest {
  return { ...request, stateSettings: { ...request.stateSettings, fetchBlob } };
}
