/** The project of a job: read from the checkout, or from the base of a fork's pull request, with the pipeline that is meant. */

import path from "node:path";
import { info } from "@actions/core";
import { gitSource } from "../load/git-source.ts";
import type { Io } from "../model/io.ts";
import type { Pipeline } from "../model/pipeline.ts";
import { err, ok, type Result } from "../model/result.ts";
import { locateProject, type ProjectRequest, type ReadProject, readProject, requireValid } from "../open-project.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import { isInside } from "../platform/paths.ts";
import { selectPipeline } from "../validate/select-pipeline.ts";
import { listProject } from "../workspace/base.ts";
import type { JobLog } from "./job-log.ts";

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
  readonly io: Pick<Io, "secrets">;
  /** The commit that the manifest and its files are read from; absent: the checkout. */
  readonly manifestFrom?: string;
}

/** Fails as locating, reading, validating and selecting do; with `usage` where the working directory lies outside the checkout. */
export async function readJobProject(request: JobProjectRequest): Promise<Result<JobProject>> {
  const asked = jobRequest(request);
  if (!asked.ok) return asked;
  const located = locateProject(asked.value);
  if (!located.ok) return located;
  // Git answers while the manifest is being read and state restored.
  const listing = listProject(located.value.root);
  const source = request.manifestFrom === undefined ? undefined : await gitSource(located.value.root, request.manifestFrom);
  if (source?.ok === false) return source;
  const words = source === undefined ? asked.value : { ...asked.value, source: source.value };
  const read = await readProject(words, located.value);
  if (!read.ok) return read;
  const project = requireValid(read.value);
  if (!project.ok) return project;
  const pipeline = selectPipeline(project.value, request.inputs.pipeline);
  if (!pipeline.ok) return pipeline;
  return ok({ request: { ...words, read: read.value, listing }, read: read.value, pipeline: pipeline.value });
}

/** The inputs as a request. */
export function jobRequest({ inputs, workspace, env, log, io, signal }: JobProjectRequest): Result<ProjectRequest> {
  const cwd = path.resolve(workspace, inputs.workingDirectory);
  if (!isInside(path.resolve(workspace), cwd)) {
    return err({ reason: "usage", message: `input \`working-directory\` leads out of the checkout: ${inputs.workingDirectory}` });
  }
  return ok({
    cwd,
    env,
    files: inputs.files,
    signal,
    announce: info,
    warn: log.warn,
    onSecrets: io.secrets.add,
    ...(inputs.environment === undefined ? {} : { environment: inputs.environment }),
    ...(inputs.adapter === undefined ? {} : { adapter: inputs.adapter }),
  });
}
