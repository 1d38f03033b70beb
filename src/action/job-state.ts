/**
 * How a job's state travels: it begins with what the cache and the artifacts of this workflow run have, fetches blobs that are wanted later, uploads
 * what steps leave, and is saved in the cache at the end. All of it may fail without failing the job.
 */

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { stateArtifactName } from "../blobs/actions/artifact-names.ts";
import type { ArtifactPlace } from "../blobs/actions/artifact-places.ts";
import { openRemoteBlobs } from "../blobs/actions/remote-blobs.ts";
import { openUploadLane } from "../blobs/actions/upload-lane.ts";
import { openUploads, type Uploads } from "../blobs/actions/uploads.ts";
import { importBlobs } from "../blobs/import-blobs.ts";
import type { BlobFetcher } from "../blobs/with-fallback.ts";
import { defined } from "../core/defined.ts";
import type { Digest } from "../core/digest.ts";
import type { GitHub } from "../core/github.ts";
import { mayUse, type TrustLevel } from "../core/trust-level.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import type { RunStore } from "../engine/open-project.ts";
import { blobsOf, packForCache, packRun } from "../engine/state-export.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import type { Toolkit } from "../platform/actions/toolkit.ts";
import { leadsOut } from "../platform/links.ts";
import { workflowOf } from "../platform/process-identity.ts";
import type { CacheScope } from "../store/cache-keys.ts";
import { lineSigner } from "../store/line-signature.ts";
import { cachedPath, openStateCache, type StateCache } from "../store/state-cache.ts";
import { levelOfArtifacts, levelOfCache, maySaveCache } from "./carrier-trust.ts";

/** Which runs a job's state is about. */
export interface StateSubject {
  /** Names the manifest, short. */
  readonly project: string;
  readonly pipeline: string;
  /** The first id of the run's identity. */
  readonly run: string;
  readonly level: TrustLevel;
}

export interface JobStateRequest {
  readonly inputs: Pick<JobInputs, "artifacts" | "cache" | "retentionDays" | "stateKey" | "token">;
  readonly context: WorkflowContext;
  readonly toolkit: Pick<Toolkit, "ask">;
  /** Undefined if there is no token. */
  readonly github?: GitHub;
  readonly subject: StateSubject;
  readonly stateDir: string;
  /** The checkout. */
  readonly workspace: string;
  /** A directory of the job for files on their way. */
  readonly temp: string;
  readonly warn: (text: string) => void;
}

export interface JobState {
  /** Absent where nothing is to be fetched. */
  readonly fetchBlob?: BlobFetcher;
  /** Takes over what the cache and this workflow run's artifacts have of a run. Says from where something came. */
  restore(store: RunStore, run: string): Promise<{ readonly cache: boolean; readonly parts: number }>;
  /** The Actions artifact of this workflow run that held a blob when the job began. */
  nameOf(digest: Digest): string | undefined;
  /** What uploads while a run goes on; absent where nothing is to be uploaded. */
  uploads(store: RunStore, signal: AbortSignal): Uploads | undefined;
  /** Uploads all of a run's state that no artifact of this workflow run has yet, for a job that was cut off. */
  uploadRest(store: RunStore, run: string): Promise<void>;
  /** Saves state in the cache. `sequence` tells the saves of one job apart. Says whether it is there, or need not be. */
  save(store: RunStore, sequence: number): Promise<boolean>;
}

/** How long what is left of a job that was cut off may take, in milliseconds. */
const restMs = 60_000;
/** Earlier workflow runs whose artifacts are looked through for blobs. */
const mostEarlier = 3;

export async function openJobState(request: JobStateRequest): Promise<JobState> {
  const { inputs, context, toolkit, stateDir, subject, temp, warn } = request;
  const retention = inputs.retentionDays === undefined ? {} : { retentionDays: inputs.retentionDays };
  await mkdir(temp, { recursive: true });
  const importState = importInto(request);
  // Jobs of one workflow run trust each other, unless journals are signed: its artifacts have this job's level.
  const places: ArtifactPlace[] = [{}, ...placesOf(request, [context.runId])];
  const importPart = (directory: string, what: "all" | "blobs") => importState({ directory, level: subject.level, what });
  const remote = inputs.artifacts ? openRemoteBlobs({ toolkit, temp, places, stateDir, importState: importPart, warn }) : undefined;
  const cache = inputs.cache ? cacheOf(request) : undefined;
  return {
    ...defined({ fetchBlob: remote?.fetchBlob }),
    async restore(store, run) {
      const fromCache = cache?.restore(async (directory, key) => {
        const level = await levelOfCache({ key, context, job: subject.level, github: request.github });
        for (const problem of await importState({ directory, level, what: "all" })) warn(`the cache: ${problem}`);
      });
      const [key, seen = 0] = await Promise.all([fromCache, remote?.fetchState(run)]);
      // After "Re-run all jobs" the artifact service lists only this attempt's artifacts; the REST API lists those of every attempt.
      const isLost = run !== "" && context.runAttempt > 1 && !(await store.state.readEvents(run)).ok;
      const parts = seen + (isLost ? ((await remote?.fetchState(run, 1)) ?? 0) : 0);
      if (key !== undefined || parts > 0) {
        const { discardStaleDatabase } = await import("../engine/state-import.ts");
        if (await discardStaleDatabase(store.state, stateDir)) warn("the database did not match the journals and was rebuilt from them");
        places.push(...earlierPlaces(request, await earlierWorkflows(store, context.runId)));
      }
      return { cache: key !== undefined, parts };
    },
    nameOf: (digest) => remote?.nameOf(digest),
    uploads(store, signal) {
      if (remote === undefined) return undefined;
      return openUploads({
        toolkit,
        temp,
        stateDir,
        signal,
        warn,
        workflowAttempt: context.runAttempt,
        uploaded: remote.nameOf,
        ...retention,
        blobsOf: (event) => blobsOf(store.blobs, event),
        pack: (id, digests, into) => packRun(stateDir, id, digests, into),
      });
    },
    async uploadRest(store, run) {
      if (remote === undefined) return;
      const events = await store.state.readEvents(run);
      if (!events.ok) return;
      const wanted = new Set<Digest>();
      for (const event of events.value) for (const digest of await blobsOf(store.blobs, event)) wanted.add(digest);
      await remote.list();
      const missing = [...wanted].filter((digest) => remote.nameOf(digest) === undefined);
      const lane = openUploadLane({ toolkit, temp, warn, limitMs: restMs, ...retention });
      const writer = events.value.at(-1)?.writer ?? "";
      await lane.upload({
        what: `the state of run ${run}`,
        name: stateArtifactName(run, context.runAttempt, `${writer}-end`, 1),
        layOut: (root) => packRun(stateDir, run, missing, root),
      });
    },
    async save(store, sequence) {
      if (cache === undefined || !maySaveCache(subject.level, context)) return true;
      return cache.save(sequence, (directory) => packForCache(store, directory));
    },
  };
}

/** Entries are packed in the checkout: a link there must not lead elsewhere. */
function cacheOf(request: JobStateRequest): StateCache | undefined {
  const { toolkit, workspace, temp, warn } = request;
  if (!leadsOut(workspace, path.join(workspace, cachedPath))) {
    return openStateCache({ toolkit, workspace, temp: path.join(temp, "cache"), scope: scopeOf(request), warn });
  }
  warn("the cache is not used: a link in the checkout leads out of it");
  return undefined;
}

interface Carried {
  readonly directory: string;
  /** Of what carried it; undefined if GitHub did not answer. */
  readonly level: TrustLevel | undefined;
  readonly what: "all" | "blobs";
}

/** Takes over what was carried here, one directory after the other. Returns sentences that name what was refused. */
function importInto({ inputs, stateDir, subject }: JobStateRequest): (carried: Carried) => Promise<readonly string[]> {
  return inTurn(async ({ directory, level, what }) => {
    if (what === "blobs") return (await importBlobs(directory, stateDir)).refused;
    const { importState } = await import("../engine/state-import.ts");
    const { stateKey } = inputs;
    const imported = await importState(directory, stateDir, {
      database: level === subject.level && stateKey === undefined,
      ...(subject.level === "own" ? {} : { higher: level === "own" ? ("all" as const) : ("listed" as const) }),
      ...(stateKey === undefined ? {} : { signer: lineSigner(stateKey) }),
    });
    return imported.ok ? imported.value.refused : ["it could not be written to state"];
  });
}

function scopeOf({ context, subject }: JobStateRequest): CacheScope {
  const { project, pipeline, run } = subject;
  const ref = context.pull === undefined ? context.ref : `pull/${context.pull.number}`;
  return { project, pipeline, ref, workflowRun: context.runId, run, job: context.job, attempt: context.runAttempt };
}

/** Workflow runs by the REST API, which needs a token. */
function placesOf({ inputs, context }: JobStateRequest, workflowRuns: readonly number[]): readonly ArtifactPlace[] {
  const { token } = inputs;
  if (token === undefined) return [];
  return workflowRuns.map((workflowRun) => ({ from: { token, owner: context.owner, repo: context.repo, workflowRun } }));
}

/** Other workflow runs are used only where GitHub says that their level is not below the job's. */
function earlierPlaces(request: JobStateRequest, workflowRuns: readonly number[]): readonly ArtifactPlace[] {
  return placesOf(request, workflowRuns).map((place, index) => ({
    ...place,
    async refusal() {
      const level = await levelOfArtifacts(request.github, workflowRuns[index] ?? 0);
      if (level === undefined) return "GitHub did not answer whose code it ran (this needs `actions: read`)";
      return mayUse(request.subject.level, level)
        ? undefined
        : "it ran for a fork, or for an event that others than this repository's writers can cause";
    },
  }));
}

/** Those that the newest runs here came from. */
async function earlierWorkflows({ state }: RunStore, own: number): Promise<readonly number[]> {
  const runs = await state.listRuns({ limit: 20 });
  const found = new Set<number>();
  for (const { id, archived } of runs.ok ? runs.value : []) {
    if (found.size >= mostEarlier) break;
    const record = archived ? undefined : await state.findRun(id);
    const workflow = record?.ok ? workflowOf(record.value.writer.host) : undefined;
    if (workflow !== undefined && workflow.run !== own) found.add(workflow.run);
  }
  return [...found];
}

/** One call after the other. */
function inTurn<A, T>(work: (argument: A) => Promise<T>): (argument: A) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (argument) => {
    const next = last.then(() => work(argument));
    last = next.catch(() => undefined);
    return next;
  };
}

/** A directory of the job for files on their way. */
export function jobTemp(env: Readonly<Record<string, string | undefined>>, stateDir: string): string {
  return path.join(env["RUNNER_TEMP"] || path.join(stateDir, "temp"), "wave");
}
