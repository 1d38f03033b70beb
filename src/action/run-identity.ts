/**
 * The identity of a job's run: everything that decides what is executed, except the job's name, because jobs with `steps`
 * share a run. Pure, except that symbolic links of the checkout are resolved.
 */
import { defined } from "../core/defined.ts";
import { type Digest, digestOfBytes } from "../core/digest.ts";
import type { JsonValue } from "../core/json.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import { realPlace } from "../platform/files.ts";
import { relativeInside } from "../platform/paths.ts";
import type { JobProject } from "./job-project.ts";

/** The location of a run's manifest. */
export interface ManifestPlace {
  /** The project's directory relative to the checkout, with forward slashes; empty for the checkout itself. */
  readonly directory: string;
  /** The manifest's files relative to it, in the order in which they merge. */
  readonly files: readonly string[];
  readonly environment?: string;
}

export interface RunIdentity {
  readonly manifest: ManifestPlace;
  readonly context: Pick<WorkflowContext, "owner" | "repo" | "workflowFile" | "runId" | "runAttempt">;
  readonly adapter?: string;
  readonly pipeline: string;
  readonly version?: string;
  /** Values of the pipeline's parameters, by name. */
  readonly parameters?: Readonly<Record<string, JsonValue>>;
  /** Digest of the run's input. */
  readonly input?: Digest | undefined;
  /** The input `matrix-key`, unchanged. */
  readonly matrixKey: string;
  /** The input `run-key`, unchanged; empty if it is not set. */
  readonly runKey: string;
}

export interface IdentityRequest {
  readonly context: WorkflowContext;
  readonly inputs: Pick<JobInputs, "input" | "matrixKey" | "runKey">;
  readonly project: JobProject;
  /** The checkout. */
  readonly workspace: string;
  /** Redacts secrets, so that the digest matches the stored input. */
  readonly redact: (text: string) => string;
}

/** Computes the identity of a job's run. */
export function identityOf({ context, inputs, project, workspace, redact }: IdentityRequest): RunIdentity {
  const { read, pipeline } = project;
  return {
    context,
    manifest: {
      directory: relativeInside(realPlace(workspace) ?? workspace, read.root) ?? read.root,
      files: read.files,
      ...defined({ environment: read.environment }),
    },
    ...defined({ adapter: read.adapter }),
    pipeline: pipeline.name,
    ...defined({ version: pipeline.version }),
    input: inputs.input === undefined ? undefined : digestOfBytes(redact(inputs.input)),
    matrixKey: inputs.matrixKey,
    runKey: inputs.runKey,
  };
}

/** The id of the first run with an identity. Later runs are `ID-2`, `ID-3` … */
export function runIdOf(identity: RunIdentity): string {
  const { context, manifest, adapter, pipeline, version, parameters, input, matrixKey, runKey } = identity;
  const { directory, files, environment } = manifest;
  const named = Object.entries(parameters ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const where = [context.owner, context.repo, context.workflowFile, context.runId, directory, files, environment ?? null];
  const what = [adapter ?? null, pipeline, version ?? null, named, input ?? null, shortMatrixKey(matrixKey), runKey.trim()];
  return shortDigest(JSON.stringify([...where, ...what]));
}

/** A short key of the manifest. Each directory, list of files and environment has its own history of runs. */
export function projectKey({ directory, files, environment }: ManifestPlace): string {
  return shortDigest(JSON.stringify([directory, files, environment ?? null]));
}

/**
 * Identifies a job's result among the results on a pull request, as the end of a comment's key. It stays the same in later
 * workflow runs, so it contains no ids and no inputs that differ between them. It does not need a valid manifest.
 */
export function reportKey(
  { workflowFile }: Pick<WorkflowContext, "workflowFile">,
  { workingDirectory, files, environment, adapter, matrixKey, runKey }: JobInputs,
): string {
  const what = [workflowFile, workingDirectory, files, environment ?? null, adapter ?? null, runKey.trim()];
  return `${shortMatrixKey(matrixKey)}:${shortDigest(JSON.stringify(what))}`;
}

/** Shortens a matrix key to at most 40 characters. Empty without a matrix: the key is then empty, `null` or `{}`. */
export function shortMatrixKey(given: string): string {
  const key = given.trim();
  if (["", "null", "{}"].includes(key)) return "";
  return /^[A-Za-z0-9._-]{1,40}$/.test(key) ? key : shortDigest(key);
}

function shortDigest(text: string): string {
  return digestOfBytes(text).slice("sha256:".length, "sha256:".length + 12);
}
