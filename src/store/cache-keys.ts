/**
 * Keys of the Actions cache: `wave2/PROJECT/PIPELINE/REF/WORKFLOW RUN/RUN/JOB/ATTEMPT/SEQUENCE`. Every part is encoded
 * and ends with a slash, so that a restore key drops parts from the right and `build` never matches `build-2`. Pure.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching: 512 characters, no commas, ten
 * keys, newest first.
 */
import { digestOfBytes } from "../core/digest.ts";

export interface CacheScope {
  /** A short name of the manifest: entries of different manifests are never mixed. */
  readonly project: string;
  readonly pipeline: string;
  /** A branch or a pull request. */
  readonly ref: string;
  readonly workflowRun: number;
  /** The first id of the run's identity. */
  readonly run: string;
  readonly job: string;
  readonly attempt: number;
}

/** A longer part is cut and ends with a digest; six parts of this length plus the numbers stay within the limit. */
const maxPartLength = 80;

/** The key to save under. `sequence` distinguishes the saves of one job. */
export function saveKey(scope: CacheScope, sequence: number): string {
  return `${keyParts(scope).join("/")}/${sequence}`;
}

/** Keys to restore by, the most specific first: this run in this job, this run, the workflow run, the branch, any branch. */
export function restoreKeys(scope: CacheScope): readonly [string, ...string[]] {
  const parts = keyParts(scope);
  const upTo = (count: number) => `${parts.slice(0, count).join("/")}/`;
  // Format, project, pipeline, ref, workflow run, run, job.
  return [upTo(7), upTo(6), upTo(5), upTo(4), upTo(3)];
}

function keyParts({ project, pipeline, ref, workflowRun, run, job, attempt }: CacheScope): readonly string[] {
  return ["wave2", encoded(project), encoded(pipeline), encoded(ref), String(workflowRun), encoded(run), encoded(job), String(attempt)];
}

function encoded(part: string): string {
  const plain = part.replaceAll(/[^A-Za-z0-9._-]/gu, (character) => `%${character.codePointAt(0)?.toString(16) ?? ""}.`);
  if (plain === "") return "%";
  return plain.length <= maxPartLength ? plain : `${plain.slice(0, maxPartLength - 13)}~${digestOfBytes(part).slice(7, 19)}`;
}
