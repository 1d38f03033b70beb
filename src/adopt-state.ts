/** Takes over what another job left: journals, blobs, and the database where there is none. Nothing of it is trusted. */
import { rm } from "node:fs/promises";
import { type AdoptedBlobs, adoptBlobs } from "./artifact/adopt-blobs.ts";
import type { StateStore } from "./model/ports.ts";
import { ok, type Result } from "./model/result.ts";
import { tryIo } from "./platform/files.ts";
import { adoptDatabase, adoptJournals } from "./state/adopt-journals.ts";
import { databaseFile } from "./state/database-file.ts";

/** What was taken over, and sentences that name what was refused. */
export interface AdoptedState {
  readonly runs: readonly string[];
  readonly blobs: number;
  readonly refused: readonly string[];
}

/** Takes over a directory that is laid out as state is. Fails with `state-unwritable`. */
export async function adoptState(from: string, stateDir: string): Promise<Result<AdoptedState>> {
  const blobs: AdoptedBlobs = await adoptBlobs(from, stateDir);
  const journals = await adoptJournals(from, stateDir);
  if (!journals.ok) return journals;
  const refused = [...journals.value.refused, ...blobs.refused];
  // A database counts on every journal that it was made from.
  const database = journals.value.refused.length > 0 ? ok(undefined) : await adoptDatabase(from, stateDir);
  if (!database.ok) return database;
  return ok({
    runs: journals.value.runs,
    blobs: blobs.taken,
    refused: [...refused, ...(database.value === undefined ? [] : [database.value])],
  });
}

/** Makes sure that state can be asked: a database that does not go with the journals is made anew from them. Says whether it had to be. */
export async function settleState(state: StateStore, stateDir: string): Promise<boolean> {
  const asked = await state.listRuns({ limit: 1 });
  if (asked.ok) return false;
  await tryIo(() => rm(databaseFile(stateDir), { force: true }));
  return true;
}
