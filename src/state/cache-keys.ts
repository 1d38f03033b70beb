/**
 * Keys of the Actions cache: `wave1/PIPELINE/SCOPE/WORKFLOW RUN/JOB/MATRIX KEY/ATTEMPT/SEQUENCE`, every part encoded and ended by a slash, so that
 * restoring drops parts from the right and `build` never fits `build-2`. Pure.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching: 512 characters, no commas, ten keys, newest first.
 */
import { digestOfBytes } from "../model/digest.ts";

export interface CacheScope {
  readonly pipeline: string;
  /** A branch or a pull request. */
  readonly ref: string;
  readonly workflowRun: number;
  readonly job: string;
  /** Already short. */
  readonly matrixKey: string;
  readonly attempt: number;
}

/** A part longer than this becomes its beginning and a digest; six parts of this length and the numbers stay below the limit. */
const longest = 80;

/** The key to save under. `sequence` tells the saves of one job apart. */
export function saveKey(scope: CacheScope, sequence: number): string {
  return `${keyParts(scope).join("/")}/${sequence}`;
}

/** Keys to restore by, the nearest first: this job in this workflow run, any job of it, the branch, any branch. */
export function restoreKeys(scope: CacheScope): readonly [string, ...string[]] {
  const parts = keyParts(scope);
  const upTo = (count: number) => `${parts.slice(0, count).join("/")}/`;
  // Format, pipeline, branch, workflow run, job, matrix key.
  return [upTo(6), upTo(4), upTo(3), upTo(2)];
}

function keyParts({ pipeline, ref, workflowRun, job, matrixKey, attempt }: CacheScope): readonly string[] {
  return ["wave1", encoded(pipeline), encoded(ref), String(workflowRun), encoded(job), encoded(matrixKey), String(attempt)];
}

function encoded(part: string): string {
  const plain = part.replaceAll(/[^A-Za-z0-9._-]/gu, (character) => `%${character.codePointAt(0)?.toString(16) ?? ""}.`);
  if (plain === "") return "%";
  return plain.length <= longest ? plain : `${plain.slice(0, longest - 13)}~${digestOfBytes(part).slice(7, 19)}`;
}
