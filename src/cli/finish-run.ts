/** How `run` and `resume` end: the summary, and the exit status that the outcome means. */

import { exitCodeOf } from "../core/failures.ts";
import { exportRun } from "../engine/export-run.ts";
import type { ProjectRequest } from "../engine/open-project.ts";
import type { FinishedRun } from "../engine/run-pipeline.ts";
import { unenforcedRules } from "../reporters/console/render-plan-actions.ts";
import { renderSummary } from "../reporters/console/render-summary.ts";
import type { Io } from "./define-command.ts";

export interface FinishOptions {
  readonly json: boolean;
  /** How people go on with the run; absent: by `wave resume`. */
  readonly goOn?: string;
  /** Gets what could not be reported; absent: it is printed. */
  readonly warn?: (text: string) => void;
}

/** Prints the summary for people (with `--json` the events have said it all) sends the trace where that is asked for, and gives the exit status. */
export async function finish(io: Io, finished: FinishedRun, request: ProjectRequest, how: FinishOptions): Promise<number> {
  const { run, status, failure, planned } = finished;
  if (!how.json) {
    const where = wordsOf(request);
    io.stderr.write(
      renderSummary(run, {
        color: io.stderr.color,
        resume: how.goOn ?? `wave resume ${run.id}${where}`,
        blobs: `${planned.store.stateDir}/blobs`,
        unenforced: unenforcedRules(planned.plan).exposed,
      }),
    );
  }
  await exportRun(finished, io.env, how.warn ?? ((text) => io.stderr.write(`warning: ${text}\n`)));
  if (failure !== undefined) return exitCodeOf(failure);
  return status === "passed" ? 0 : status === "cancelled" ? 130 : 1;
}

/** The words that lead back to the same project. */
function wordsOf(request: ProjectRequest): string {
  const [first] = request.files;
  return first === undefined ? "" : ` -f ${/^[\w./@-]+$/.test(first) ? first : `'${first.replaceAll("'", "'\\''")}'`}`;
}
