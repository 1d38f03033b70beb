/**
 * Publishes what a pipeline says, one after the other. What is not optional and cannot be published fails the run; where nothing can be published at
 * all, as on a laptop, that is told and fails nothing.
 */
import { defined } from "../../core/defined.ts";
import type { ArtifactRef, EventPayload } from "../../core/event.ts";
import type { Failure } from "../../core/failure.ts";
import { describeFailure } from "../../core/failures.ts";
import type { Publication } from "../../core/pipeline.ts";
import type { BlobStore, Publisher } from "../../core/ports.ts";

export interface PublishRequest {
  readonly publications: readonly Publication[];
  /** Step → what it left. */
  readonly artifacts: ReadonlyMap<string, readonly ArtifactRef[]>;
  readonly blobs: BlobStore;
  /** Kind → who publishes it; or why nothing can be published here. */
  readonly publishers: ReadonlyMap<Publication["kind"], Publisher> | string;
}

/** What events say of it, and the first failure that counts. */
export interface Published {
  readonly events: readonly EventPayload[];
  readonly failure?: Failure;
}

export async function publishArtifacts({ publications, artifacts, blobs, publishers }: PublishRequest): Promise<Published> {
  const events: EventPayload[] = [];
  let failure: Failure | undefined;
  for (const { kind, artifact, from, optional } of publications) {
    const not = (because: string) => events.push({ type: "not-published", kind, artifact, because, optional });
    const left = artifacts.get(from)?.find(({ name }) => name === artifact);
    if (typeof publishers === "string") {
      not(publishers);
      continue;
    }
    const publisher = publishers.get(kind);
    const bytes = left === undefined ? undefined : await blobs.get(left.digest);
    const published =
      left === undefined || bytes === undefined || publisher === undefined
        ? undefined
        : bytes.ok
          ? await publisher.publish({ name: artifact, digest: left.digest, bytes: bytes.value })
          : bytes;
    if (published?.ok === true && left !== undefined) {
      events.push({ type: "published", kind, artifact, digest: left.digest, url: published.value.url });
      continue;
    }
    const why: Failure =
      published?.ok === false ? published.error : { reason: "publish-refused", artifact, detail: `step \`${from}\` left none` };
    not(sentenceOf(why));
    if (!optional) failure ??= why;
  }
  return { events, ...defined({ failure }) };
}

function sentenceOf(failure: Failure): string {
  const { title, detail } = describeFailure(failure);
  return [title, ...detail].join(": ");
}
