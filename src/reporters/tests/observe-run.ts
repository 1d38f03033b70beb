/** Reads the results of a run that tests compare: no ids, times or paths, which differ between equal runs. */

import { decodeChangeset } from "../../changeset/combine-changes.ts";
import type { Changeset } from "../../core/changeset.ts";
import { defined } from "../../core/defined.ts";
import type { ArtifactRef } from "../../core/event.ts";
import type { JsonValue } from "../../core/json.ts";
import type { ObservedArtifact, ObservedAttempt, ObservedRun, ObservedStep } from "../../core/pipeline-test.ts";
import type { BlobStore } from "../../core/ports.ts";
import { ok, type Result } from "../../core/result.ts";
import type { AttemptRecord, RunRecord, StepRecord } from "../../core/state.ts";

/** Bytes. A snapshot has only the digest of a larger artifact. */
const longestContent = 16 * 1024;

/** The results of a run, and the full text of each text artifact. */
export interface Observation {
  readonly run: ObservedRun;
  readonly textOf: (step: string, artifact: string) => string | undefined;
}

/** Fails as the store does. */
export async function observeRun(run: RunRecord, blobs: BlobStore): Promise<Result<Observation>> {
  const steps: [string, ObservedStep][] = [];
  const texts = new Map<string, string>();
  for (const step of run.steps) {
    const observed = await observeStep(step, blobs, (artifact, text) => texts.set(`${step.id}\0${artifact}`, text));
    if (!observed.ok) return observed;
    steps.push([step.id, observed.value]);
  }
  return ok({
    run: { status: run.status, steps: Object.fromEntries(steps) },
    textOf: (step, artifact) => texts.get(`${step}\0${artifact}`),
  });
}

async function observeStep(
  step: StepRecord,
  blobs: BlobStore,
  onText: (artifact: string, text: string) => void,
): Promise<Result<ObservedStep>> {
  const artifacts: [string, ObservedArtifact][] = [];
  for (const artifact of step.artifacts) {
    const bytes = await blobs.get(artifact.digest);
    if (!bytes.ok) return bytes;
    const text = textOf(bytes.value);
    if (text !== undefined) onText(artifact.name, text);
    artifacts.push([artifact.name, observeArtifact(artifact, text)]);
  }
  const changes = step.changes === undefined ? ok([]) : await changesOf(step.changes.digest, blobs);
  if (!changes.ok) return changes;
  return ok({
    status: step.status,
    ...defined({ failure: step.failure?.reason }),
    attempts: step.attempts.map(observeAttempt),
    artifacts: Object.fromEntries(artifacts),
    changes: Object.fromEntries(changes.value.map((entry) => [entry.path, changeName(entry)])),
  });
}

function observeAttempt({ status, failure, contracts }: AttemptRecord): ObservedAttempt {
  return {
    status,
    ...defined({ failure: failure?.reason }),
    verdicts: Object.fromEntries(contracts.map(({ name, verdict }) => [name, verdict])),
  };
}

function observeArtifact({ mediaType, digest, size }: ArtifactRef, text: string | undefined): ObservedArtifact {
  const plain = { mediaType, digest };
  if (text === undefined || size > longestContent) return plain;
  const json = parse(text);
  return json === undefined ? { ...plain, text } : { ...plain, json };
}

/** Undefined if the bytes are not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes).toString();
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

async function changesOf(digest: ArtifactRef["digest"], blobs: BlobStore): Promise<Result<Changeset>> {
  const bytes = await blobs.get(digest);
  if (!bytes.ok) return bytes;
  const changes = decodeChangeset(bytes.value);
  return changes.ok ? changes : { ok: false, error: { reason: "state-damaged", path: `blob ${digest}`, detail: changes.error } };
}

function changeName({ before, after }: Changeset[number]): string {
  return after === undefined ? "deleted" : before === undefined ? "added" : "changed";
}
