/**
 * Uploads the results of steps during the run: each artifact as an Actions artifact, and after each passed step the rest of what a later
 * attempt needs (changes, logs, pinned files, the journal), so a lost machine loses at most one step. It is a reporter: failures are
 * warned about once and never fail the run.
 */
import type { Digest } from "../../core/digest.ts";
import type { ArtifactRef, WaveEvent } from "../../core/event.ts";
import type { Reporter } from "../../core/ports.ts";
import { stateArtifactName, stepArtifactName } from "./artifact-names.ts";
import { layOutArtifact } from "./lay-out-artifact.ts";
import { openUploadLane, type UploadLaneRequest } from "./upload-lane.ts";

export interface UploadsRequest {
  readonly lane: UploadLaneRequest;
  readonly stateDir: string;
  readonly workflowAttempt: number;
  /** The name of this workflow run's Actions artifact that already contains a blob; undefined if there is none. */
  readonly uploaded: (digest: Digest) => string | undefined;
  readonly blobsOf: (event: WaveEvent) => Promise<readonly Digest[]>;
  /** Writes a run's journals and the given blobs into a directory and returns the files. */
  readonly pack: (run: string, digests: readonly Digest[], into: string) => Promise<readonly string[]>;
  /** Aborts when the run is cancelled. Uploads that do not finish soon after are left to the next attempt. */
  readonly signal: AbortSignal;
}

export interface Uploads extends Reporter {
  /** The name of the Actions artifact that contains an artifact's bytes; undefined until it is uploaded. */
  nameOf(digest: Digest): string | undefined;
  /** Whether no upload failed. */
  complete(): boolean;
}

/** Artifacts that a job uploads separately; the service accepts 500 per job. Later ones are uploaded with the state. */
const mostSingles = 350;
/** Parts of the state that a job uploads while it runs; one more follows at its end. */
const mostParts = 100;
/** The time for remaining uploads at the end, and after a cancellation, in milliseconds. */
const limits = { endMs: 10 * 60_000, cancelledMs: 1_500 } as const;

export function openUploads(request: UploadsRequest): Uploads {
  const lane = openUploadLane(request.lane);
  const names = new Map<Digest, string>();
  const uploaded = new Set<Digest>();
  const singles = uploadSingles(request, { names, uploaded }, (name, what, artifact) =>
    lane.upload({ what, name, layOut: async (root) => [await layOutArtifact(request.stateDir, artifact, root)] }),
  );
  const state = uploadState(request, names, (name, what, layOut) => lane.upload({ what, name, layOut }));
  return {
    name: "uploads",
    nameOf: (digest) => (uploaded.has(digest) ? names.get(digest) : undefined),
    complete: () => lane.tally.lost === 0,
    onEvent(event) {
      state.note(event);
      if (event.type !== "attempt-passed" && event.type !== "step-reused") return;
      for (const artifact of event.artifacts) if (!singles(event, artifact)) state.add(artifact.digest);
      state.send(mostParts);
    },
    async close() {
      state.send(Number.POSITIVE_INFINITY);
      if (await within(lane.rest(), request.signal)) return;
      lane.abandon();
      request.lane.warn("some artifacts were not uploaded before the job had to end");
    },
  };
}

/** Returns a function that uploads one artifact unless it is already uploaded. It returns false once there are too many. */
function uploadSingles(
  { uploaded: uploadedBefore, workflowAttempt }: UploadsRequest,
  { names, uploaded }: { readonly names: Map<Digest, string>; readonly uploaded: Set<Digest> },
  send: (name: string, what: string, artifact: ArtifactRef) => Promise<boolean>,
) {
  let count = 0;
  return ({ run, step }: { readonly run: string; readonly step: string }, artifact: ArtifactRef): boolean => {
    if (names.has(artifact.digest)) return true;
    const before = uploadedBefore(artifact.digest);
    if (before !== undefined) {
      names.set(artifact.digest, before);
      uploaded.add(artifact.digest);
      return true;
    }
    if (count >= mostSingles) return false;
    count += 1;
    const name = stepArtifactName(run, step, artifact.name, workflowAttempt, artifact.digest);
    names.set(artifact.digest, name);
    void send(name, `artifact \`${artifact.name}\` of step \`${step}\``, artifact).then((isStored) =>
      isStored ? uploaded.add(artifact.digest) : names.delete(artifact.digest),
    );
    return true;
  };
}

/** Uploads the journal and the blobs that events refer to, one part at a time. Events during an upload go into the next part. */
function uploadState(
  { blobsOf, pack, workflowAttempt }: UploadsRequest,
  names: ReadonlyMap<Digest, string>,
  send: (name: string, what: string, layOut: (root: string) => Promise<readonly string[]>) => Promise<boolean>,
) {
  const events: WaveEvent[] = [];
  const digests: Digest[] = [];
  let last: WaveEvent | undefined;
  let count = 0;
  let sending = false;
  const sendPart = (most: number) => {
    if (sending || last === undefined || events.length === 0 || count >= most) return;
    const { run, writer } = last;
    const batch = { events: events.splice(0), digests: digests.splice(0) };
    sending = true;
    count += 1;
    const layOut = async (root: string) => {
      for (const event of batch.events) batch.digests.push(...(await blobsOf(event)));
      return pack(
        run,
        [...new Set(batch.digests)].filter((digest) => !names.has(digest)),
        root,
      );
    };
    void send(stateArtifactName(run, workflowAttempt, writer, count), `the state of run ${run}`, layOut).then(() => {
      sending = false;
      sendPart(limit);
    });
  };
  let limit = 0;
  return {
    note(event: WaveEvent) {
      events.push(event);
      last = event;
    },
    add(digest: Digest) {
      digests.push(digest);
    },
    /** Uploads the collected events, up to `most` parts in total. */
    send(most: number) {
      limit = most;
      sendPart(most);
    },
  };
}

/** Waits for work until the time limit, which a cancellation shortens. Returns whether the work finished. */
function within(work: Promise<void>, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    let timer = setTimeout(() => resolve(false), signal.aborted ? limits.cancelledMs : limits.endMs);
    const hurry = () => {
      clearTimeout(timer);
      timer = setTimeout(() => resolve(false), limits.cancelledMs);
    };
    signal.addEventListener("abort", hurry, { once: true });
    void work.then(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", hurry);
      resolve(true);
    });
  });
}
