/**
 * Moves a job's state: restores it from the cache and the artifacts of the workflow run, fetches blobs on demand, uploads
 * the results of steps, and saves the cache at the end. Errors are warnings; they never fail the job.
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
import { blobsOfEvent, packForCache, packRun } from "../engine/state-export.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import type { Toolkit } from "../platform/actions/toolkit.ts";
import { leadsOut } from "../platform/links.ts";
import { workflowOf } from "../platform/process-identity.ts";
import type { CacheScope } from "../store/cache-keys.ts";
import { lineSigner } from "../store/line-signature.ts";
import { cachedPath, openStateCache, type StateCache } from "../store/state-cache.ts";
import { levelOfArtifacts, levelOfCache, maySaveCache } from "./carrier-trust.ts";

/** The runs that a job's state contains. */
export interface StateSubject {
  /** A short key of the manifest. */
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
  /** A temporary directory of the job. */
  readonly temp: string;
  readonly warn: (text: string) => void;
}

export interface JobState {
  /** Undefined if artifacts are off. */
  readonly fetchBlob?: BlobFetcher;
  /** Imports a run's state from the cache and this workflow run's artifacts. Returns which of them contained some. */
  restore(store: RunStore, run: string): Promise<{ readonly cache: boolean; readonly parts: number }>;
  /** The Actions artifact of this workflow run that contained a blob when the job started. */
  nameOf(digest: Digest): string | undefined;
  /** Uploads state during a run. Undefined if artifacts are off. */
  uploads(store: RunStore, signal: AbortSignal): Uploads | undefined;
  /** Uploads the state of an interrupted run that no artifact of this workflow run contains yet. */
  uploadRest(store: RunStore, run: string): Promise<void>;
  /** Saves state in the cache. `sequence` distinguishes the saves of one job. Returns false if that failed. */
  save(store: RunStore, sequence: number): Promise<boolean>;
}

/** Time limit for uploading the rest of an interrupted run, in milliseconds. */
const restMs = 60_000;
/** Maximum number of earlier workflow runs whose artifacts are searched for blobs. */
const maxEarlier = 3;

export async function openJobState(request: JobStateRequest): Promise<JobState> {
  const { inputs, context, toolkit, stateDir, subject, temp, warn } = request;
  const retention = inputs.retentionDays === undefined ? {} : { retentionDays: inputs.retentionDays };
  await mkdir(temp, { recursive: true });
  const importState = importInto(request);
  // Jobs of one workflow run trust each other unless journals are signed, so its artifacts have this job's level.
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
        lane: { toolkit, temp, warn, ...retention },
        stateDir,
        signal,
        workflowAttempt: context.runAttempt,
        uploaded: remote.nameOf,
        blobsOf: (event) => blobsOfEvent(store.blobs, event),
        pack: (id, digests, into) => packRun(stateDir, id, digests, into),
      });
    },
    async uploadRest(store, run) {
      if (remote === undefined) return;
      const events = await store.state.readEvents(run);
      if (!events.ok) return;
      const wanted = new Set<Digest>();
      for (const event of events.value) for (const digest of await blobsOfEvent(store.blobs, event)) wanted.add(digest);
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

/** Entries are packed in the checkout, so no link there may lead out of it. */
function cacheOf(request: JobStateRequest): StateCache | undefined {
  const { toolkit, workspace, temp, warn } = request;
  if (!leadsOut(workspace, path.join(workspace, cachedPath))) {
    return openStateCache({ toolkit, workspace, temp: path.join(temp, "cache"), scope: scopeOf(request), warn });
  }
  warn("the cache is not used: a link in the checkout leads out of it");
  return undefined;
}

interface Download {
  readonly directory: string;
  /** Level of the cache entry or artifact; undefined if GitHub did not answer. */
  readonly level: TrustLevel | undefined;
  readonly what: "all" | "blobs";
}

/** Imports downloaded state, one directory at a time. Returns a sentence for each refused part. */
function importInto({ inputs, stateDir, subject }: JobStateRequest): (download: Download) => Promise<readonly string[]> {
  return inTurn(async ({ directory, level, what }) => {
    if (what === "blobs") return (await importBlobs(directory, stateDir)).refused;
    const { importState } = await import("../engine/state-import.ts");
    const { stateKey } = inputs;
    const imported = await importState(directory, stateDir, {
      database: level === subject.level && stateKey === undefined,
      ...(subject.level === "own" ? {} : { higher: level === "own" ? ("all" as const) : ("listed" as const) }),
      ...(stateKey === undefined ? {} : { signer: lineSigner(stateKey) }),
    });
    return imported.ok ? imported.value.refused : ["it could not be written to the state directory"];
  });
}

function scopeOf({ context, subject }: JobStateRequest): CacheScope {
  const { project, pipeline, run } = subject;
  const ref = context.pull === undefined ? context.ref : `pull/${context.pull.number}`;
  return { project, pipeline, ref, workflowRun: context.runId, run, job: context.job, attempt: context.runAttempt };
}

/** The artifacts of workflow runs in the REST API, which needs a token. */
function placesOf({ inputs, context }: JobStateRequest, workflowRuns: readonly number[]): readonly ArtifactPlace[] {
  const { token } = inputs;
  if (token === undefined) return [];
  return workflowRuns.map((workflowRun) => ({ from: { token, owner: context.owner, repo: context.repo, workflowRun } }));
}

/** Artifacts of other workflow runs are used only if GitHub confirms that their level is not below the job's. */
function earlierPlaces(request: JobStateRequest, workflowRuns: readonly number[]): readonly ArtifactPlace[] {
  return placesOf(request, workflowRuns).map((source, index) => ({
    ...source,
    async refusal() {
      const level = await levelOfArtifacts(request.github, workflowRuns[index] ?? 0);
      if (level === undefined) return "GitHub did not report whose code it ran (this needs `actions: read`)";
      return mayUse(request.subject.level, level)
        ? undefined
        : "it ran for a fork, or for an event that accounts without write access can cause";
    },
  }));
}

/** The workflow runs that the newest local runs came from. */
async function earlierWorkflows({ state }: RunStore, own: number): Promise<readonly number[]> {
  const runs = await state.listRuns({ limit: 20 });
  const workflows = new Set<number>();
  for (const { id, archived } of runs.ok ? runs.value : []) {
    if (workflows.size >= maxEarlier) break;
    const record = archived ? undefined : await state.findRun(id);
    const workflow = record?.ok ? workflowOf(record.value.writer.host) : undefined;
    if (workflow !== undefined && workflow.run !== own) workflows.add(workflow.run);
  }
  return [...workflows];
}

/** Runs calls one at a time, in order. */
function inTurn<A, T>(work: (argument: A) => Promise<T>): (argument: A) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (argument) => {
    const next = last.then(() => work(argument));
    last = next.catch(() => undefined);
    return next;
  };
}

/** The job's temporary directory: `wave` in RUNNER_TEMP or, without it, in the state directory. */
export function jobTemp(env: Readonly<Record<string, string | undefined>>, stateDir: string): string {
  return path.join(env["RUNNER_TEMP"] || path.join(stateDir, "temp"), "wave");
}
