/** Archived runs: their journals are gone, and the database's rows are what is left. */
import { existsSync } from "node:fs";
import type { Failure } from "../core/failure.ts";
import type { BlobStore, StateStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";

/** Why something cannot be had of an archived run: `lost` says what went with its journals. */
export function archivedRun(run: string, lost?: string): Failure {
  return {
    reason: "usage",
    message: `run ${run} is archived: its journals are gone${lost === undefined ? "" : `, and so is ${lost}`}`,
    hint: lost === undefined ? "`wave run` starts another" : `\`wave status ${run}\` shows what is left of it`,
  };
}

/** Fails with `usage` for an archived run: a journal that does not begin with its start would hide what the database knows of it. */
export async function requireJournals(state: Pick<StateStore, "readEvents">, run: string): Promise<Result<void>> {
  const events = await state.readEvents(run);
  if (events.ok) return ok(undefined);
  return err(events.error.reason === "run-not-found" ? archivedRun(run) : events.error);
}

/**
 * The blobs of a run, to read. A blob that an archived run refers to and that is not there any more is no damage: a cleanup took it.
 * `get` and `pathOf` fail with `usage` then, and else as the store's own.
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
