/** The project of a job, read and validated, with the pipeline that the inputs name. */
import type { Io } from "../model/io.ts";
import type { Pipeline } from "../model/pipeline.ts";
import { err, ok, type Result } from "../model/result.ts";
import { locateProject, type ProjectRequest, type ReadProject, readProject, requireValid } from "../open-project.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import { selectPipeline } from "../validate/select-pipeline.ts";
import { listProject } from "../workspace/base.ts";
import type { JobLog } from "./job-log.ts";
import { type JobSource, workingDirectoryOf } from "./job-source.ts";

export interface JobProject {
  /** Reads nothing again. */
  readonly request: ProjectRequest;
  readonly read: ReadProject;
  readonly pipeline: Pipeline;
}

export interface JobProjectRequest {
  readonly inputs: Pick<JobInputs, "adapter" | "environment" | "files" | "pipeline" | "workingDirectory">;
  /** The checkout. */
  readonly workspace: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Pick<JobLog, "warn">;
  /** Cancels reading the project. */
  readonly signal: AbortSignal;
  readonly io: Pick<Io, "stdout" | "secrets">;
  /** Undefined if the manifest is read from the checkout. */
  readonly from?: JobSource;
}

/**
 * Fails as locating, reading, validating and selecting do; with `usage` if the working directory leads out of the checkout; with the host's failure
 * if a file of the commit could not be read, since what was read then is not the whole manifest.
 */
export async function readJobProject(request: JobProjectRequest): Promise<Result<JobProject>> {
  const asked = jobRequest(request);
  if (!asked.ok) return asked;
  const located = locateProject(asked.value);
  if (!located.ok) return located;
  // Git answers while the manifest is being read and state restored.
  const listing = listProject(located.value.root);
  const read = await readProject(asked.value, located.value);
  const failure = request.from?.failure();
  if (failure !== undefined) return err(failure);
  if (!read.ok) return read;
  const project = requireValid(read.value);
  if (!project.ok) return project;
  const pipeline = selectPipeline(project.value, request.inputs.pipeline);
  if (!pipeline.ok) return pipeline;
  return ok({ request: { ...asked.value, read: read.value, listing }, read: read.value, pipeline: pipeline.value });
}

/** The inputs as a request. */
function jobRequest({ inputs, workspace, env, log, from, io, signal }: JobProjectRequest): Result<ProjectRequest> {
  const cwd = workingDirectoryOf(workspace, inputs.workingDirectory);
  if (!cwd.ok) return cwd;
  return ok({
    cwd: cwd.value,
    env,
    files: inputs.files,
    signal,
    announce: (text) => io.stdout.write(`${text}\n`),
    warn: log.warn,
    onSecrets: io.secrets.add,
    ...(from === undefined ? {} : { source: from.source, location: from.location }),
    ...(inputs.environment === undefined ? {} : { environment: inputs.environment }),
    ...(inputs.adapter === undefined ? {} : { adapter: inputs.adapter }),
  });
}
