/** The blobs that runs refer to: with names for messages about a missing blob, and as bare digests for cleanups. */
import { decodeChangeset } from "../changeset/combine-changes.ts";
import { type Digest, isDigest } from "../core/digest.ts";
import type { ArtifactRef, ChangesRef, WaveEvent } from "../core/event.ts";
import type { BlobStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { readPinned } from "./pinned-manifest.ts";

/** A blob that an event refers to. `kind` determines whether it lists further blobs. */
export interface BlobReference {
  readonly digest: Digest;
  readonly kind: "bytes" | "manifest" | "changes";
  /** A phrase for messages: ``artifact `report` of step `survey` ``. */
  readonly as: string;
}

/** The blobs that an event refers to. */
export function referencesOf(event: WaveEvent): readonly BlobReference[] {
  switch (event.type) {
    case "run-started":
      return [{ digest: event.manifest, kind: "manifest", as: "the pinned files" }, ...one(event.options.input, "the run's input")];
    case "run-resumed":
      return event.update === undefined ? [] : [{ digest: event.update.manifest, kind: "manifest", as: "the pinned files" }];
    case "step-reused":
      return [...artifacts(event.artifacts, event.step), ...changes(event.changes, `the changes of step \`${event.step}\``)];
    case "attempt-started":
      return event.inputs.map(({ name, digest }) => ({ digest, kind: "bytes", as: `input \`${name}\` of step \`${event.step}\`` }));
    case "attempt-passed":
      return [
        ...artifacts(event.artifacts, event.step),
        ...changes(event.changes, `the changes of step \`${event.step}\``),
        ...one(event.log, logOf(event)),
      ];
    case "attempt-failed":
      return [...artifacts(event.artifacts, event.step), ...one(event.log, logOf(event))];
    case "attempt-cancelled":
      return one(event.log, logOf(event));
    case "changes-merged":
    case "changes-applied":
    case "rollback-started":
    case "changes-undone":
    case "steps-rolled-back":
      return changes(event.changes, "the run's changes");
    default:
      return [];
  }
}

/**
 * Every digest in any text of the events: more than the references, so that a cleanup also keeps blobs that only a
 * later version refers to.
 */
export function digestsIn(events: readonly WaveEvent[]): ReadonlySet<Digest> {
  const found = new Set<Digest>();
  for (const event of events) {
    for (const [digest] of JSON.stringify(event).matchAll(/sha256:[0-9a-f]{64}/g)) if (isDigest(digest)) found.add(digest);
  }
  return found;
}

/**
 * The blobs that a blob lists: the files of a pinned manifest, or both sides of changes. Fails with `state-damaged`,
 * and as the store does.
 */
export async function listedIn(blobs: BlobStore, { digest, kind }: BlobReference): Promise<Result<readonly Digest[]>> {
  if (kind === "bytes") return ok([]);
  if (kind === "manifest") {
    const files = await readPinned(blobs, digest);
    return files.ok ? ok([...files.value.values()]) : files;
  }
  const bytes = await blobs.get(digest);
  if (!bytes.ok) return bytes;
  const entries = decodeChangeset(bytes.value);
  if (!entries.ok) return err({ reason: "state-damaged", path: digest, detail: `the blob is not a changeset: ${entries.error}` });
  const states = entries.value.flatMap(({ before, after }) => [before, after]);
  return ok(states.flatMap((state) => (state !== undefined && "digest" in state ? [state.digest] : [])));
}

function artifacts(list: readonly ArtifactRef[], step: string): readonly BlobReference[] {
  return list.map(({ name, digest }) => ({ digest, kind: "bytes", as: `artifact \`${name}\` of step \`${step}\`` }));
}

function changes(ref: ChangesRef | undefined, as: string): readonly BlobReference[] {
  return ref === undefined ? [] : [{ digest: ref.digest, kind: "changes", as }];
}

function one(digest: Digest | undefined, as: string): readonly BlobReference[] {
  return digest === undefined ? [] : [{ digest, kind: "bytes", as }];
}

function logOf({ step, attempt }: { readonly step: string; readonly attempt: number }): string {
  return `the log of attempt ${attempt} of step \`${step}\``;
}
