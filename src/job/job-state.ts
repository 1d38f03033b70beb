/**
 * How a job's state travels: it begins with what the cache and the artifacts of this workflow run have, fetches blobs that are wanted later, uploads
 * what steps leave, and is saved in the cache at the end. All of it may fail without failing the job.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { stateArtifactName } from "../artifact/actions/artifact-names.ts";
import { openRemoteBlobs } from "../artifact/actions/remote-blobs.ts";
import { openUploadLane } from "../artifact/actions/upload-lane.ts";
import { openUploads, type Uploads } from "../artifact/actions/uploads.ts";
import type { BringBlob } from "../artifact/with-elsewhere.ts";
import type { Digest } from "../model/digest.ts";
import type { WorkflowContext } from "../model/workflow-context.ts";
import type { Memory } from "../open-project.ts";
import { blobsOf, packForCache, packRun } from "../pack-state.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import type { Toolkit } from "../platform/actions/toolkit.ts";
import type { Elsewhere } from "../platform/actions/toolkit-calls.ts";
import { workflowOf } from "../platform/process-identity.ts";
import { openStateCache } from "../state/state-cache.ts";
import { shortMatrixKey } from "./job-run.ts";

export interface JobStateRequest {
  readonly inputs: Pick<JobInputs, "artifacts" | "cache" | "matrixKey" | "retentionDays" | "token">;
  readonly context: WorkflowContext;
  readonly toolkit: Pick<Toolkit, "ask">;
  readonly pipeline: string;
  readonly stateDir: string;
  /** The checkout. */
  readonly workspace: string;
  /** A directory of the job for files on their way. */
  readonly temp: string;
  readonly warn: (text: string) => void;
}

export interface JobState {
  /** Absent where nothing is to be fetched. */
  readonly bring?: BringBlob;
  /** Takes over what the cache and this workflow run's artifacts have of a run. Says from where something came. */
  restore(memory: Memory, run: string): Promise<{ readonly cache: boolean; readonly parts: number }>;
  /** The Actions artifact of this workflow run that held a blob when the job began. */
  nameOf(digest: Digest): string | undefined;
  /** What uploads while a run goes on; absent where nothing is to be uploaded. */
  uploads(memory: Memory, signal: AbortSignal): Uploads | undefined;
  /** Uploads all of a run's state that no artifact of this workflow run has yet, for a job that was cut off. */
  uploadRest(memory: Memory, run: string): Promise<void>;
  /** Saves state in the cache. `sequence` tells the saves of one job apart. Says whether it is there, or need not be. */
  save(memory: Memory, sequence: number): Promise<boolean>;
}

/** How long what is left of a job that was cut off may take, in milliseconds. */
const restMs = 60_000;
/** Earlier workflow runs whose artifacts are looked through for blobs. */
const mostEarlier = 3;

export async function openJobState(request: JobStateRequest): Promise<JobState> {
  const { inputs, context, toolkit, stateDir, temp, warn } = request;
  const retention = inputs.retentionDays === undefined ? {} : { retentionDays: inputs.retentionDays };
  await mkdir(temp, { recursive: true });
  const adopt = inTurn(async (directory: string): Promise<readonly string[]> => {
    const { adoptState } = await import("../adopt-state.ts");
    const adopted = await adoptState(directory, stateDir);
    return adopted.ok ? adopted.value.refused : ["it could not be written to state"];
  });
  const places: (Elsewhere | undefined)[] = [undefined, ...elsewhere(request, [context.runId])];
  const remote = inputs.artifacts ? openRemoteBlobs({ toolkit, temp, places, stateDir, adopt, warn }) : undefined;
  const cache = inputs.cache ? openStateCache({ toolkit, workspace: request.workspace, scope: scopeOf(request), warn }) : undefined;
  return {
    ...(remote === undefined ? {} : { bring: remote.bring }),
    async restore(memory, run) {
      const fromCache = cache?.restore(async (directory) => {
        for (const what of await adopt(directory)) warn(`the cache: ${what}`);
      });
      const [key, parts = 0] = await Promise.all([fromCache, remote?.bringState(run)]);
      if (key !== undefined || parts > 0) {
        const { settleState } = await import("../adopt-state.ts");
        if (await settleState(memory.state, stateDir)) warn("the database did not go with the journals, and was made anew from them");
        places.push(...elsewhere(request, await earlierWorkflows(memory, context.runId)));
      }
      return { cache: key !== undefined, parts };
    },
    nameOf: (digest) => remote?.nameOf(digest),
    uploads(memory, signal) {
      if (remote === undefined) return undefined;
      return openUploads({
        ...{ toolkit, temp, stateDir, signal, warn, workflowAttempt: context.runAttempt, uploaded: remote.nameOf },
        ...retention,
        blobsOf: (event) => blobsOf(memory.blobs, event),
        pack: (id, digests, into) => packRun(stateDir, id, digests, into),
      });
    },
    async uploadRest(memory, run) {
      if (remote === undefined) return;
      const events = await memory.state.readEvents(run);
      if (!events.ok) return;
      const wanted = new Set<Digest>();
      for (const event of events.value) for (const digest of await blobsOf(memory.blobs, event)) wanted.add(digest);
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
    save: async (memory, sequence) => cache === undefined || cache.save(sequence, (directory) => packForCache(memory, directory)),
  };
}

function scopeOf({ context, inputs, pipeline }: JobStateRequest) {
  return {
    pipeline,
    ref: context.pull === undefined ? context.ref : `pull/${context.pull.number}`,
    workflowRun: context.runId,
    job: context.job,
    matrixKey: shortMatrixKey(inputs.matrixKey),
    attempt: context.runAttempt,
  };
}

/** The REST API needs a token, and gives artifacts of other workflow runs as well. */
function elsewhere({ inputs, context }: JobStateRequest, workflowRuns: readonly number[]): Elsewhere[] {
  const { token } = inputs;
  if (token === undefined) return [];
  return workflowRuns.map((workflowRun) => ({ token, owner: context.owner, repo: context.repo, workflowRun }));
}

/** Those that the newest runs here came from. */
async function earlierWorkflows({ state }: Memory, own: number): Promise<readonly number[]> {
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
