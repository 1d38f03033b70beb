/** Locates, reads and validates the project of a job, and selects the pipeline that the inputs name. */

import { existsSync } from "node:fs";
import path from "node:path";
import { defined } from "../core/defined.ts";
import type { Failure } from "../core/failure.ts";
import type { Io } from "../core/io.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { err, ok, type Result } from "../core/result.ts";
import { type Location, locateProject, type ProjectRequest, type ReadProject, readProject, requireValid } from "../engine/open-project.ts";
import { selectPipeline } from "../manifest/validate/select-pipeline.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import { listProject } from "../workspace/base.ts";
import type { JobLog } from "./job-log.ts";
import { type JobSource, workingDirectoryOf } from "./job-source.ts";

export interface JobProject {
  /** Contains the project that was read, so it is not read again. */
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
 * Finds the manifest. Fails with `usage` if the working directory is outside the checkout or has no manifest. The hint names
 * the inputs to set, or the missing checkout step.
 */
export function locateJobProject(request: JobProjectRequest): Result<Location> {
  const { inputs, workspace } = request;
  const projectRequest = jobRequest(request);
  if (!projectRequest.ok) return projectRequest;
  const missing = request.from === undefined ? missingManifest(inputs, workspace, projectRequest.value.cwd) : undefined;
  return missing === undefined ? locateProject(projectRequest.value) : err(missing);
}

/** Why the manifest is missing; undefined if it exists, readable or not. */
function missingManifest({ files, workingDirectory }: JobProjectRequest["inputs"], workspace: string, cwd: string): Failure | undefined {
  const named = files.length > 0 ? files.slice(0, 1) : ["wave.yaml", "wave.yml"];
  if (named.some((file) => existsSync(path.resolve(cwd, file)))) return undefined;
  if (![workspace, cwd].some((directory) => existsSync(path.join(directory, ".git")))) return noCheckout(workspace);
  const where = workingDirectory === "." ? "the checkout" : `\`${workingDirectory}\``;
  const message = `${where} has no ${named.length === 1 ? `file \`${named[0]}\`` : "wave.yaml"}`;
  return { reason: "usage", message, hint: "the inputs `file` and `working-directory` name the manifest and its directory" };
}

function noCheckout(workspace: string): Failure {
  return {
    reason: "usage",
    message: `nothing is checked out in ${workspace}`,
    hint: "add a step with `uses: actions/checkout` before this one; if the checkout has a `path`, name it in the input `working-directory`",
  };
}

/**
 * Reads and validates the project, and selects the pipeline. If a file of the commit could not be read, fails with that
 * error instead of validating an incomplete manifest.
 */
export async function readJobProject(request: JobProjectRequest, location: Location): Promise<Result<JobProject>> {
  const projectRequest = jobRequest(request);
  if (!projectRequest.ok) return projectRequest;
  // Runs in parallel with reading the manifest and restoring state.
  const listing = listProject(location.root);
  const read = await readProject(projectRequest.value, location);
  const failure = request.from?.failure();
  if (failure !== undefined) return err(failure);
  if (!read.ok) return read;
  const project = requireValid(read.value);
  if (!project.ok) return project;
  const pipeline = selectPipeline(project.value, request.inputs.pipeline);
  if (!pipeline.ok) return pipeline;
  return ok({
    request: { ...projectRequest.value, known: { ...projectRequest.value.known, read: read.value, listing } },
    read: read.value,
    pipeline: pipeline.value,
  });
}

/** Converts the inputs. Fails if the working directory is outside the checkout. */
function jobRequest({ inputs, workspace, env, log, from, io, signal }: JobProjectRequest): Result<ProjectRequest> {
  const cwd = workingDirectoryOf(workspace, inputs.workingDirectory);
  if (!cwd.ok) return cwd;
  return ok({
    cwd: cwd.value,
    env,
    files: inputs.files,
    signal,
    hooks: { onProgress: (text) => io.stdout.write(`${text}\n`), warn: log.warn, onSecrets: io.secrets.add },
    known: defined({ source: from?.source, location: from?.location, trustedFiles: from?.files }),
    ...defined({ environment: inputs.environment, adapter: inputs.adapter }),
  });
}
