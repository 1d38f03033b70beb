/**
 * Publishes a pipeline's `publish` entries in order. The run fails if a required entry cannot be published. If publishing is
 * not possible at all, for example outside GitHub, the entries are reported as not published and the run does not fail.
 */
import { defined } from "../../core/defined.ts";
import type { ArtifactRef, EventPayload } from "../../core/event.ts";
import type { Failure } from "../../core/failure.ts";
import { describeFailure } from "../../core/failures.ts";
import type { Publication } from "../../core/pipeline.ts";
import type { BlobStore, Publisher } from "../../core/ports.ts";

export interface PublishRequest {
  readonly publications: readonly Publication[];
  /** Step id → its artifacts. */
  readonly artifacts: ReadonlyMap<string, readonly ArtifactRef[]>;
  readonly blobs: BlobStore;
  /** Kind → its publisher, or the reason why publishing is not possible, as a clause. */
  readonly publishers: ReadonlyMap<Publication["kind"], Publisher> | string;
}

/** An event per entry, and the failure of the first required entry that failed. */
export interface Published {
  readonly events: readonly EventPayload[];
  readonly failure?: Failure;
}

export async function publishArtifacts({ publications, artifacts, blobs, publishers }: PublishRequest): Promise<Published> {
  const events: EventPayload[] = [];
  let failure: Failure | undefined;
  for (const { kind, artifact, from, optional } of publications) {
    const skip = (because: string) => events.push({ type: "not-published", kind, artifact, because, optional });
    const output = artifacts.get(from)?.find(({ name }) => name === artifact);
    if (typeof publishers === "string") {
      skip(publishers);
      continue;
    }
    const publisher = publishers.get(kind);
    const bytes = output === undefined ? undefined : await blobs.get(output.digest);
    const published =
      output === undefined || bytes === undefined || publisher === undefined
        ? undefined
        : bytes.ok
          ? await publisher.publish({ name: artifact, digest: output.digest, bytes: bytes.value })
          : bytes;
    if (published?.ok === true && output !== undefined) {
      events.push({ type: "published", kind, artifact, digest: output.digest, url: published.value.url });
      continue;
    }
    const cause: Failure =
      published?.ok === false ? published.error : { reason: "publish-refused", artifact, detail: `step \`${from}\` did not produce it` };
    skip(sentenceOf(cause));
    if (!optional) failure ??= cause;
  }
  return { events, ...defined({ failure }) };
}

function sentenceOf(failure: Failure): string {
  const { title, detail } = describeFailure(failure);
  return [title, ...detail].join(": ");
}
