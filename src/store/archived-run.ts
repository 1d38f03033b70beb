/** Archived runs: their journals are gone, and only the database's records remain. */
import { existsSync } from "node:fs";
import type { Failure } from "../core/failure.ts";
import type { BlobStore, StateStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";

/** The failure for a request that an archived run cannot answer; `lost` names what was removed with the journals. */
export function archivedRun(run: string, lost?: string): Failure {
  return {
    reason: "usage",
    message: `run ${run} is archived: its journals are gone${lost === undefined ? "" : `, and so is ${lost}`}`,
    hint: lost === undefined ? "start a new run with `wave run`" : `\`wave status ${run}\` shows its remaining record`,
  };
}

/** Fails with `usage` for an archived run: a new journal without `run-started` would hide the record in the database. */
export async function requireJournals(state: Pick<StateStore, "readEvents">, run: string): Promise<Result<void>> {
  const events = await state.readEvents(run);
  if (events.ok) return ok(undefined);
  return err(events.error.reason === "run-not-found" ? archivedRun(run) : events.error);
}

/**
 * The blobs of a run, for reading. A missing blob of an archived run is not damage: a cleanup removed it, so `get` and
 * `pathOf` fail with `usage`. Otherwise they fail as the store's own.
 */
export function blobsOf(run: Pick<RunRecord, "id" | "archived">, blobs: BlobStore): BlobStore {
  if (run.archived !== true) return blobs;
  const explained = <T>(read: Result<T>, digest: string): Result<T> =>
    read.ok || read.error.reason !== "state-damaged" || existsSync(read.error.path) ? read : err(archivedRun(run.id, `blob ${digest}`));
  return {
    put: blobs.put,
    get: async (digest) => explained(await blobs.get(digest), digest),
    pathOf: async (digest) => explained(await blobs.pathOf(digest), digest),
  };
}
