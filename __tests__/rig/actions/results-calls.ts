/** The calls of the results service, and what they do to its artifacts and caches. Field names are those of the wire. */
import { randomUUID } from "node:crypto";
import type { BlobStorage } from "./blob-storage.ts";

export interface Caller {
  readonly runId: number;
  readonly job: string;
  readonly attempt: number;
  readonly ref: string;
  readonly baseRef: string;
  readonly cacheReadOnly: boolean;
}

export interface ArtifactEntry {
  readonly id: number;
  readonly runId: number;
  readonly job: string;
  readonly attempt: number;
  readonly name: string;
  readonly blob: string;
  readonly createdAt: string;
  size: number;
  hash?: string;
  finalized: boolean;
  hidden?: boolean;
}

export interface CacheEntry {
  readonly id: number;
  readonly key: string;
  readonly version: string;
  readonly ref: string;
  readonly blob: string;
  finalized: boolean;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

interface State {
  readonly artifacts: ArtifactEntry[];
  readonly caches: CacheEntry[];
  readonly storage: BlobStorage;
}

type Body = Readonly<Record<string, unknown>>;
type Call = (state: State, caller: Caller, body: Body) => Reply;

const done = (body: unknown): Reply => ({ status: 200, body });
const refusal = (status: number, code: string, msg: string): Reply => ({ status, body: { code, msg } });
const text = (body: Body, name: string): string => (typeof body[name] === "string" ? body[name] : "");

/** What this attempt sees of its workflow run, oldest first. */
function visible({ artifacts }: State, { runId, attempt }: Caller): ArtifactEntry[] {
  return artifacts.filter(
    (one) => one.runId === runId && one.finalized && one.attempt <= attempt && (one.hidden !== true || one.attempt === attempt),
  );
}

const calls: Readonly<Record<string, Call>> = {
  CreateArtifact(state, caller, body) {
    const name = text(body, "name");
    if (/[":<>|*?\r\n\\/]/.test(name) || name === "") return refusal(400, "invalid_argument", `the artifact name is not valid: ${name}`);
    const taken = state.artifacts.some((one) => one.name === name && one.runId === caller.runId && one.attempt === caller.attempt);
    if (taken) return refusal(409, "already_exists", "an artifact with this name already exists on the workflow run");
    if (
      state.artifacts.filter((one) => one.runId === caller.runId && one.job === caller.job && one.attempt === caller.attempt).length >= 500
    )
      return refusal(429, "resource_exhausted", "too many artifacts");
    const { runId, job, attempt } = caller;
    const id = state.artifacts.length + 1;
    const blob = `artifact-${id}-${randomUUID()}`;
    state.artifacts.push({
      ...{ id, runId, job, attempt, name, blob, size: 0, finalized: false },
      createdAt: new Date(1_700_000_000_000 + id * 1000).toISOString(),
    });
    return done({ ok: true, signed_upload_url: state.storage.signedUrl(blob, "write") });
  },
  FinalizeArtifact(state, caller, body) {
    const found = state.artifacts.find(
      (one) => one.name === text(body, "name") && one.runId === caller.runId && one.attempt === caller.attempt,
    );
    if (found === undefined) return refusal(404, "not_found", "no such artifact");
    found.size = Number(body["size"]);
    found.finalized = true;
    if (typeof body["hash"] === "string") found.hash = body["hash"];
    return done({ ok: true, artifact_id: String(found.id) });
  },
  ListArtifacts(state, caller, body) {
    const listed = visible(state, caller)
      .filter((one) => body["name_filter"] === undefined || one.name === body["name_filter"])
      .filter((one) => body["id_filter"] === undefined || String(one.id) === body["id_filter"])
      .map((one) => ({
        workflow_run_backend_id: `run-${one.runId}`,
        workflow_job_run_backend_id: `job-${one.runId}-${one.attempt}-${one.job}`,
        ...{ database_id: String(one.id), name: one.name, size: String(one.size), created_at: one.createdAt },
        ...(one.hash === undefined ? {} : { digest: one.hash }),
      }));
    return done({ artifacts: listed });
  },
  GetSignedArtifactURL(state, caller, body) {
    const found = visible(state, caller).findLast(
      (one) =>
        one.name === text(body, "name") && `job-${one.runId}-${one.attempt}-${one.job}` === text(body, "workflow_job_run_backend_id"),
    );
    if (found === undefined) return refusal(404, "not_found", "no such artifact");
    return done({ signed_url: state.storage.signedUrl(found.blob, "read", { type: "application/zip", name: `${found.name}.zip` }) });
  },
  CreateCacheEntry(state, caller, body) {
    const [key, version] = [text(body, "key"), text(body, "version")];
    if (caller.cacheReadOnly) return refusal(403, "permission_denied", "cache write denied: the token is read-only");
    if (key.length > 512 || key.includes(",")) return refusal(400, "invalid_argument", "the key is not valid");
    if (state.caches.some((one) => one.key === key && one.version === version && one.ref === caller.ref))
      return refusal(409, "already_exists", "cache entry with the same key, version, and scope already exists");
    const id = state.caches.length + 1;
    const blob = `cache-${id}-${randomUUID()}`;
    state.caches.push({ id, key, version, ref: caller.ref, blob, finalized: false });
    return done({ ok: true, signed_upload_url: state.storage.signedUrl(blob, "write") });
  },
  FinalizeCacheEntryUpload(state, caller, body) {
    const found = state.caches.find(
      (one) => one.key === text(body, "key") && one.version === text(body, "version") && one.ref === caller.ref,
    );
    if (found === undefined) return refusal(404, "not_found", "no such cache entry");
    found.finalized = true;
    return done({ ok: true, entry_id: String(found.id) });
  },
  GetCacheEntryDownloadURL(state, caller, body) {
    const restoreKeys = Array.isArray(body["restore_keys"]) ? (body["restore_keys"] as string[]) : [];
    const keys = [text(body, "key"), ...restoreKeys];
    for (const ref of [caller.ref, caller.baseRef]) {
      const entries = state.caches.filter((one) => one.finalized && one.ref === ref && one.version === text(body, "version"));
      const exact = entries.find((one) => one.key === keys[0]);
      const found = exact ?? keys.map((key) => entries.findLast((one) => one.key.startsWith(key))).find((one) => one !== undefined);
      if (found !== undefined)
        return done({ ok: true, signed_download_url: state.storage.signedUrl(found.blob, "read"), matched_key: found.key });
    }
    return done({ ok: false });
  },
};

/** Method, caller and body → reply. */
export function createCall(state: State): (method: string, caller: Caller, body: Body) => Promise<Reply> {
  return async (method, caller, body) => calls[method]?.(state, caller, body) ?? refusal(404, "bad_route", `no method ${method}`);
}
