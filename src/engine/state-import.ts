/**
 * Imports state from another job: journals, blobs, and the database if there is none and its carrier is trusted. Imported state is
 * untrusted data: every journal is checked line by line, every blob by its digest.
 */

import { rm } from "node:fs/promises";
import { type ImportedBlobs, importBlobs } from "../blobs/import-blobs.ts";
import { defined } from "../core/defined.ts";
import type { StateStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { eventProblem } from "../manifest/validate/check-event.ts";
import { stateUnwritable, tryIo } from "../platform/files.ts";
import { databaseFile } from "../store/database-place.ts";
import { noteHigherRuns, readHigherRuns } from "../store/higher-runs.ts";
import { importDatabase } from "../store/import-database.ts";
import { importJournals } from "../store/import-journals.ts";
import type { LineSigner } from "../store/line-signature.ts";
import { foldProblem } from "./check-fold.ts";

/** The imported runs, the number of imported blobs, and a sentence for each rejected part. */
export interface ImportedState {
  readonly runs: readonly string[];
  readonly blobs: number;
  readonly refused: readonly string[];
}

export interface Adoption {
  /** Whether the database may be imported: its carrier has this job's trust level, and journals are not signed. */
  readonly database: boolean;
  /** Set if journals are signed: those without valid signatures are rejected. */
  readonly signer?: LineSigner;
  /**
   * Runs from a trust level above the job's: `all` if the carrier's level is above it, `listed` for the runs that a
   * carrier of the job's own level lists. Undefined if the job has the highest level.
   */
  readonly higher?: "all" | "listed";
}

/** Imports a directory with the layout of a state directory. Fails with `state-unwritable`. */
export async function importState(
  from: string,
  stateDir: string,
  { database: wanted, signer, higher }: Adoption,
): Promise<Result<ImportedState>> {
  const blobs: ImportedBlobs = await importBlobs(from, stateDir);
  const journals = await importJournals(from, stateDir, { eventProblem, ...defined({ signer }) });
  if (!journals.ok) return journals;
  if (higher !== undefined) {
    const noted = await noteHigherRuns(stateDir, higher === "all" ? journals.value.runs : await readHigherRuns(from));
    if (!noted.ok) return err(stateUnwritable(stateDir, noted.error));
  }
  const refused = [...journals.value.refused, ...blobs.refused];
  // A database is valid only with every journal that it was built from.
  const database = !wanted || journals.value.refused.length > 0 ? ok(undefined) : await importDatabase(from, stateDir, foldProblem);
  if (!database.ok) return database;
  return ok({
    runs: journals.value.runs,
    blobs: blobs.taken,
    refused: [...refused, ...(database.value === undefined ? [] : [database.value])],
  });
}

/** Removes a database that does not match the journals, so that it is rebuilt. Returns whether it was removed. */
export async function discardStaleDatabase(state: StateStore, stateDir: string): Promise<boolean> {
  const runs = await state.listRuns({ limit: 1 });
  if (runs.ok) return false;
  await tryIo(() => rm(databaseFile(stateDir), { force: true }));
  return true;
}
