/**
 * Stores a step's artifacts as blobs: from the declared path, else from the output directory, or from the final message if the artifact
 * accepts it. It does not validate their content, except that secrets are kept out.
 */
import type { CollectRequest } from "../core/attempt-output.ts";
import type { ArtifactRef } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { acceptsMessage } from "../core/message-artifact.ts";
import type { Step, StepArtifact } from "../core/pipeline.ts";
import type { BlobStore, Redactor, Workspace } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { messageContent } from "./final-message.ts";
import { type ArtifactFile, findArtifactFile } from "./find-artifact-file.ts";
import { mediaTypeOf, mediaTypeOfContent } from "./media-type.ts";

interface Collection extends CollectRequest {
  readonly blobs: BlobStore;
  readonly redactor: Redactor;
}

interface Content {
  readonly artifact: StepArtifact;
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly source: string;
}

/** The largest artifact, in bytes. */
const sizeLimit = 1024 ** 3;

/**
 * Stores the artifacts that the step produced and returns them in the order declared. Fails with `artifact-missing` if one that is not
 * optional is missing, and with `artifact-ambiguous`, `artifact-refused` (outside the workspace, or not a regular file),
 * `artifact-too-large`, `secret-leaked`, `empty-output` (the final message repeats the prompt) and the failures of the blob store.
 * Files are read into memory one at a time.
 */
export async function collectArtifacts(collection: Collection): Promise<Result<readonly ArtifactRef[]>> {
  const { step, workspace } = collection;
  const names = new Set(step.artifacts.map(({ name }) => name));
  const found = new Map<string, ArtifactFile>();
  for (const artifact of step.artifacts.filter(({ source }) => source === undefined)) {
    const located = await findArtifactFile(workspace, artifact, names);
    if (!located.ok) return located;
    if (located.value !== undefined) found.set(artifact.name, located.value);
  }
  const message = messageFor(collection, found);
  if (!message.ok) return message;
  const missing = step.artifacts.filter(({ name, optional }) => !optional && !found.has(name) && name !== message.value?.artifact.name);
  if (missing.length > 0) return err(missingFailure(step, missing));
  return storeAll(collection, found, message.value);
}

async function storeAll(
  collection: Collection,
  found: ReadonlyMap<string, ArtifactFile>,
  message: Content | undefined,
): Promise<Result<readonly ArtifactRef[]>> {
  const references: ArtifactRef[] = [];
  for (const artifact of collection.step.artifacts) {
    const place = found.get(artifact.name);
    const content =
      place === undefined
        ? ok(message?.artifact.name === artifact.name ? message : undefined)
        : await contentAt(collection.workspace, artifact, place);
    if (!content.ok) return content;
    if (content.value === undefined) continue;
    const stored = await store(collection, content.value);
    if (!stored.ok) return stored;
    references.push(stored.value);
  }
  return ok(references);
}

async function contentAt(workspace: Workspace, artifact: StepArtifact, place: ArtifactFile): Promise<Result<Content>> {
  const read = await workspace.read(place.area, place.path, sizeLimit);
  if (!read.ok) return err(named(read.error, artifact.name, place.source));
  const mediaType = artifact.mediaType ?? mediaTypeOf(place.path) ?? mediaTypeOf(artifact.name) ?? mediaTypeOfContent(read.value);
  return ok({ artifact, bytes: read.value, mediaType, source: place.source });
}

async function store({ blobs, redactor }: Collection, { artifact, bytes, mediaType, source }: Content): Promise<Result<ArtifactRef>> {
  const { name } = artifact;
  const kind = redactor.kindOf(bytes);
  if (kind !== undefined && artifact.scrub !== true) return err({ reason: "secret-leaked", artifact: name, kind });
  const stored = await blobs.put(kind === undefined ? bytes : scrubbed(bytes, redactor));
  return stored.ok ? ok({ name, ...stored.value, mediaType, source }) : stored;
}

function scrubbed(bytes: Uint8Array, redactor: Redactor): Uint8Array {
  const filter = redactor.stream();
  return Buffer.concat([filter.push(bytes), filter.flush()]);
}

/** The final message as content of the artifact that accepts it. Undefined without such an artifact, or if the message is blank. */
function messageFor({ step, finalMessage, prompt }: Collection, found: ReadonlyMap<string, ArtifactFile>): Result<Content | undefined> {
  const artifact = step.artifacts.find((one) => !found.has(one.name) && acceptsMessage(step, one));
  if (artifact === undefined || finalMessage === undefined || finalMessage.trim() === "") return ok(undefined);
  if (finalMessage.trim() === prompt.trim()) {
    return err({
      reason: "empty-output",
      detail: `the final message repeats the prompt, and artifact \`${artifact.name}\` was not written`,
    });
  }
  return ok({ artifact, ...messageContent(finalMessage, artifact), source: "message" });
}

function missingFailure(step: Step, missing: readonly StepArtifact[]): Failure {
  const places = missing.flatMap(({ name, path, source }) => (source === "message" ? [] : [path ?? `$WAVE_OUTPUT_DIR/${name}`]));
  const message = missing.some((artifact) => acceptsMessage(step, artifact)) ? ["the final message (there was none)"] : [];
  return { reason: "artifact-missing", artifacts: missing.map(({ name }) => name), searched: [...places, ...message] };
}

/** Adds the artifact's name to a failure of the workspace, which knows only paths. */
function named(failure: Failure, artifact: string, source: string): Failure {
  if (failure.reason === "artifact-refused") return { ...failure, artifact, path: source };
  if (failure.reason === "artifact-too-large") return { ...failure, artifact };
  return failure;
}
