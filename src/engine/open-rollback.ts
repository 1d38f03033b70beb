/**
 * Rollbacks that are not complete. An event states that one starts before the first file is written, so that a killed rollback is reported
 * until it is completed. A mark beside the locks lets `wave run` find it without reading journals; the journal decides.
 */

import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { defined } from "../core/defined.ts";
import type { ChangesRef, EventPayload } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { Journal } from "../core/ports.ts";
import { err, type Result } from "../core/result.ts";
import { openRollbackFailure, rollbackArgs } from "../core/rolled-back.ts";
import type { RunRecord } from "../core/state.ts";
import { stateUnwritable, tryIo, writeFileDurably } from "../platform/files.ts";
import type { RunStore } from "./open-project.ts";

const prefix = "rollback-";

/** The parts of a rollback that its first event records. */
interface StartedRollback {
  readonly run: RunRecord;
  readonly to?: string;
  readonly steps: readonly string[];
  readonly ref?: ChangesRef;
}

/**
 * Returns a callback that records the start of the rollback; call it before the first write. It fails with
 * `state-unwritable`.
 */
export function startRollback(
  { stateDir }: Pick<RunStore, "stateDir">,
  journal: Journal,
  { run, to, steps, ref }: StartedRollback,
): () => Promise<Result<unknown>> {
  return async () => {
    const mark = markOf(stateDir, run.id);
    const marked = await writeFileDurably(mark, Buffer.from(""));
    if (!marked.ok) return err(stateUnwritable(mark, marked.error));
    const started: EventPayload = {
      type: "rollback-started",
      ...defined({ to }),
      steps: [...steps],
      ...defined({ changes: ref }),
    };
    return journal.append([started]);
  };
}

/** Removes the mark of a rollback whose end is in the journal. A mark that stays is removed by the next run. */
export async function endRollback({ stateDir }: Pick<RunStore, "stateDir">, runId: string): Promise<void> {
  await tryIo(() => rm(markOf(stateDir, runId), { force: true }));
}

/**
 * The failure of a rollback other than the open one: together they would leave a mixture in the project. Undefined if
 * it is the same one.
 */
export function refuseOtherRollback(run: RunRecord, to: string | undefined): Failure | undefined {
  if (run.openRollback === undefined || run.openRollback.to === to) return undefined;
  return {
    reason: "usage",
    message: `another rollback of run ${run.id} was interrupted`,
    hint: `\`wave ${rollbackArgs(run).join(" ")}\` completes it`,
  };
}

/** The failure of a run that starts while a rollback of the project is unfinished. Undefined if no rollback is open. */
export async function findOpenRollback({ stateDir, state }: Pick<RunStore, "stateDir" | "state">): Promise<Failure | undefined> {
  const names = await tryIo(() => readdir(path.join(stateDir, "locks")));
  for (const name of names.ok ? names.value.filter((one) => one.startsWith(prefix)) : []) {
    const run = name.slice(prefix.length);
    const found = await state.findRun(run);
    const open = found.ok && found.value.id === run ? openRollbackFailure(found.value) : undefined;
    if (open !== undefined) return open;
    // An unreadable journal keeps its mark: the rollback may be open.
    if (found.ok) await endRollback({ stateDir }, run);
  }
  return undefined;
}

function markOf(stateDir: string, runId: string): string {
  return path.join(stateDir, "locks", `${prefix}${runId}`);
}
