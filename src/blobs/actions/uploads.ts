/**
 * Uploads what steps leave, while the run goes on: each artifact as an Actions artifact, and after each passed step what a later attempt needs
 * besides (changes, logs, pinned files, the journal), so that a lost machine loses one step at most. It is a reporter: what goes wrong is told
 * once, and fails no run.
 */
import type { Digest } from "../../core/digest.ts";
import type { ArtifactRef, WaveEvent } from "../../core/event.ts";
import type { Reporter } from "../../core/ports.ts";
import { stateArtifactName, stepArtifactName } from "./artifact-names.ts";
import { layOutArtifact } from "./lay-out-artifact.ts";
import { openUploadLane, type UploadLaneRequest } from "./upload-lane.ts";

export interface UploadsRequest extends UploadLaneRequest {
  readonly stateDir: string;
  readonly workflowAttempt: number;
  /** The Actions artifact of this workflow run that holds a blob already; nothing where none does. */
  readonly uploaded: (digest: Digest) => string | undefined;
  /** The blobs that an event refers to. */
  readonly blobsOf: (event: WaveEvent) => Promise<readonly Digest[]>;
  /** Lays out a run's journals and some blobs. Gives the files. */
  readonly pack: (run: string, digests: readonly Digest[], into: string) => Promise<readonly string[]>;
  /** Aborts when the run is cancelled: what is not uploaded soon after is left to the next attempt. */
  readonly signal: AbortSignal;
}

export interface Uploads extends Reporter {
  /** The Actions artifact that holds an artifact's bytes; undefined while it is not uploaded. */
  nameOf(digest: Digest): string | undefined;
  /** Whether everything that was to be uploaded is. */
  complete(): boolean;
}

/** Artifacts of their own that a job uploads; the service takes 500 a job, and what comes later goes with the state. */
const mostSingles = 350;
/** Parts of the state that a job uploads while it runs; then one at its end. */
const mostParts = 100;
/** For all that is left at the end, and for that after a cancellation, in milliseconds. */
const limits = { endMs: 10 * 60_000, cancelledMs: 1_500 } as const;

export function openUploads(request: UploadsRequest): Uploads {
  const lane = openUploadLane(request);
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
      request.warn("some artifacts were not uploaded before the job had to end");
    },
  };
}

/** Returns what uploads one artifact, unless it is there; it returns false if there are too many. */
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
    void send(name, `artifact \`${artifact.name}\` of step \`${step}\``, artifact).then((there) =>
      there ? uploaded.add(artifact.digest) : names.delete(artifact.digest),
    );
    return true;
  };
}

/** Collects events, and uploads what they refer to with the journal: one part at a time, and what comes meanwhile goes with the next. */
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
      sendPart(asked);
    });
  };
  let asked = 0;
  return {
    note(event: WaveEvent) {
      events.push(event);
      last = event;
    },
    add(digest: Digest) {
      digests.push(digest);
    },
    /** At most so many parts in all. */
    send(most: number) {
      asked = most;
      sendPart(most);
    },
  };
}

/** Waits for work to its end, but not long past a cancellation. Says whether it came to its end. */
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
