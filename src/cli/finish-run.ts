/** The end of `run` and `resume`: prints the summary, exports the trace, and returns the exit code. */
import path from "node:path";
import { defined } from "../core/defined.ts";
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
  /** How to resume the run, if not with `command`. */
  readonly resume?: string;
  /** Returns a command about the project that works as printed. Undefined if the user cannot run commands here. */
  readonly command?: (args: readonly string[]) => string;
  /** Steps whose last failure the reporter has printed in full. */
  readonly printedFailures?: ReadonlySet<string>;
  /** Receives what could not be exported. Defaults to a warning on stderr. */
  readonly warn?: (text: string) => void;
}

export async function finishRun(io: Io, finished: FinishedRun, options: FinishOptions): Promise<number> {
  const { json, command, warn } = options;
  const { run, status, failure, planned } = finished;
  if (!json) {
    const { exposed } = unenforcedRules(planned.plan);
    const resume = options.resume ?? command?.(["resume", run.id]) ?? `wave resume ${run.id}`;
    const summary = { color: io.stderr.color, resume, unenforced: exposed };
    io.stderr.write(renderSummary(run, { ...summary, ...defined({ command, printedFailures: options.printedFailures }) }));
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
