/**
 * Names of Actions artifacts. A name identifies its content, because the service lists names but not contents: a later attempt finds
 * artifacts by name. Pure. For the refused characters see https://github.com/actions/toolkit/tree/main/packages/artifact
 */
import type { Digest } from "../../core/digest.ts";

/** Longer names are cut. The service does not document its limit; file systems allow 255 bytes. */
const longest = 200;

/** The name of a step's artifact: `wave-RUN-STEP.NAME-a2-0123456789ab`, with the workflow run's attempt and 12 digits of the digest. */
export function stepArtifactName(run: string, step: string, artifact: string, workflowAttempt: number, digest: Digest): string {
  const tail = `-a${workflowAttempt}-${digestMark(digest)}`;
  return `${safe(`wave-${run}-${step}.${artifact}`).slice(0, longest - tail.length)}${tail}`;
}

/** Whether a name belongs to an artifact with this digest. */
export function namesDigest(name: string, digest: Digest): boolean {
  return /^wave-.*-a\d+-[0-9a-f]{12}$/.test(name) && name.endsWith(`-${digestMark(digest)}`);
}

/** The name of a part of a run's state: `wave-state-RUN-a2-WRITER-3`. */
export function stateArtifactName(run: string, workflowAttempt: number, writer: string, sequence: number): string {
  return safe(`wave-state-${run}-a${workflowAttempt}-${writer}-${sequence}`);
}

/** Whether a name belongs to a part of the state of `run`, or of a run that the same job started after it. Defaults to any run. */
export function namesState(name: string, run?: string): boolean {
  return run === undefined ? name.startsWith("wave-state-") : name.startsWith(`wave-state-${safe(run)}-`);
}

function digestMark(digest: Digest): string {
  return digest.slice("sha256:".length, "sha256:".length + 12);
}

function safe(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, "_");
}
