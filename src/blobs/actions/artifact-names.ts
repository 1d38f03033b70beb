/**
 * Names of Actions artifacts. Each says whose it is, so that a later attempt finds it by its name alone: the service lists names, and nothing of
 * what is in them. Pure. https://github.com/actions/toolkit/tree/main/packages/artifact says which characters are refused.
 */
import type { Digest } from "../../core/digest.ts";

/** Longer names are cut; the service's own limit is not documented, and file systems stop at 255. */
const longest = 200;

/** The name for one artifact of a step: `wave-RUN-STEP.NAME-a2-0123456789ab`, with the attempt of the workflow run and the digest's beginning. */
export function stepArtifactName(run: string, step: string, artifact: string, workflowAttempt: number, digest: Digest): string {
  const tail = `-a${workflowAttempt}-${digestMark(digest)}`;
  return `${safe(`wave-${run}-${step}.${artifact}`).slice(0, longest - tail.length)}${tail}`;
}

/** Whether a name is that of an artifact with this digest. */
export function namesDigest(name: string, digest: Digest): boolean {
  return /^wave-.*-a\d+-[0-9a-f]{12}$/.test(name) && name.endsWith(`-${digestMark(digest)}`);
}

/** The name for a part of a run's state: `wave-state-RUN-a2-WRITER-3`. */
export function stateArtifactName(run: string, workflowAttempt: number, writer: string, sequence: number): string {
  return safe(`wave-state-${run}-a${workflowAttempt}-${writer}-${sequence}`);
}

/** Whether a name is that of a part of the state of a run, and of those that the same workflow run began after it. */
export function namesState(name: string, run?: string): boolean {
  return run === undefined ? name.startsWith("wave-state-") : name.startsWith(`wave-state-${safe(run)}-`);
}

function digestMark(digest: Digest): string {
  return digest.slice("sha256:".length, "sha256:".length + 12);
}

function safe(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, "_");
}
