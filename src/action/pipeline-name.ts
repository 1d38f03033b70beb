/**
 * The pipeline's name in reports about a manifest that cannot be read or is invalid. The check needs the name that a run
 * would use, so that it replaces the check of the last push and a required check does not wait for it.
 */

import { defined } from "../core/defined.ts";
import type { GitHub } from "../core/github.ts";
import type { Io } from "../core/io.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import type { Location } from "../engine/open-project.ts";
import { diskSource } from "../manifest/load/disk-source.ts";
import { pipelineNameIn } from "../manifest/load/pipeline-name.ts";
import { nameOfFile } from "../manifest/validate/pipeline-sources.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import { type JobSource, openJobSource } from "./job-source.ts";

/** The parts of the project that are known when a job fails. */
export interface NamedProject {
  /** The project's directory. Undefined if it was not found. */
  readonly root?: string;
  /** Its manifests, relative to `root`. */
  readonly files?: readonly string[];
  /** Undefined if the manifest is read from the checkout. */
  readonly from?: Pick<JobSource, "source" | "location">;
  /** The name of the selected pipeline. Undefined if none was selected. */
  readonly pipeline?: string;
}

/** The parts of a job that the name depends on. */
export interface NamingJob {
  readonly io: Pick<Io, "env" | "secrets" | "signal" | "stdout">;
  readonly inputs: JobInputs;
  readonly context: WorkflowContext;
  /** Undefined if the job has no token. */
  readonly github?: GitHub;
  /** The checkout. */
  readonly workspace: string;
  /** A temporary directory of the job. */
  readonly temp: string;
}

/**
 * The first known one of: the selected pipeline, the input `pipeline`, the name in the manifest, the name in the manifest of
 * the pull request's base, the manifest's file name. Never rejects.
 */
export async function pipelineNameOf(job: NamingJob, { root, files, from, pipeline }: NamedProject): Promise<string> {
  const { inputs } = job;
  const selected = pipeline ?? inputs.pipeline?.split("@", 1)[0];
  if (selected !== undefined && selected !== "") return selected;
  const first = from?.location.files[0] ?? files?.[0] ?? inputs.files[0] ?? "wave.yaml";
  const unnamed = nameOfFile(first);
  const named = { unnamed, ...defined({ environment: inputs.environment }) };
  const source = from?.source ?? (root === undefined ? undefined : diskSource(root));
  const here = source === undefined ? undefined : await pipelineNameIn({ ...named, source, files: from?.location.files ?? files ?? [] });
  return here ?? (await nameInBase(job, named)) ?? unnamed;
}

async function nameInBase(
  { inputs, context, github, io, temp, workspace }: NamingJob,
  named: Pick<Parameters<typeof pipelineNameIn>[0], "environment" | "unnamed">,
): Promise<string | undefined> {
  const { pull } = context;
  if (pull === undefined || github === undefined) return undefined;
  const opened = await openJobSource({ inputs, context, github, workspace, temp, commit: pull.baseSha, env: io.env, signal: io.signal });
  if (!opened.ok) return undefined;
  const { source, location, close } = opened.value;
  try {
    return await pipelineNameIn({ ...named, source, files: (location satisfies Location).files });
  } finally {
    await close();
  }
}
