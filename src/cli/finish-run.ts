/** The end of `run` and `resume`: prints the summary, exports the trace, and returns the exit code. */
import path from "node:path";
import { exitCodeOf } from "../core/failures.ts";
import type { Io } from "../core/io.ts";
import { exportRun } from "../engine/export-run.ts";
import type { ProjectRequest } from "../engine/open-project.ts";
import type { FinishedRun } from "../engine/run-pipeline.ts";
import { unenforcedRules } from "../reporters/console/render-plan-actions.ts";
import { renderSummary } from "../reporters/console/render-summary.ts";
import { quote } from "../text/shell-quote.ts";

export interface FinishOptions {
  /** Whether the events were printed as NDJSON, which contain the summary. */
  readonly json: boolean;
  /** How to resume the run, for the summary. */
  readonly resume: string;
  /** Receives what could not be exported. Defaults to a warning on stderr. */
  readonly warn?: (text: string) => void;
}

export async function finishRun(io: Io, finished: FinishedRun, { json, resume, warn }: FinishOptions): Promise<number> {
  const { run, status, failure, planned } = finished;
  if (!json) {
    const { exposed } = unenforcedRules(planned.plan);
    io.stderr.write(renderSummary(run, { color: io.stderr.color, resume, blobs: `${planned.store.stateDir}/blobs`, unenforced: exposed }));
  }
  await exportRun(finished, io.env, warn ?? ((text) => io.stderr.write(`warning: ${text}\n`)));
  if (failure !== undefined) return exitCodeOf(failure);
  return status === "passed" ? 0 : status === "cancelled" ? 130 : 1;
}

/** A command about the same project that works as printed in the caller's directory. */
export function commandLine(words: readonly string[], { cwd, files }: ProjectRequest, io: Pick<Io, "cwd">): string {
  const directory = cwd === io.cwd ? [] : ["-C", path.relative(io.cwd, cwd)];
  return ["wave", ...words, ...directory, ...files.flatMap((file) => ["-f", file])].map(quote).join(" ");
}
