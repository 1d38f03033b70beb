/** Which console a run gets: NDJSON for machines, a live view on a terminal, plain lines elsewhere. */
import type { Plan } from "../model/plan.ts";
import type { Reporter } from "../model/ports.ts";
import { multiplexReporter } from "../report/multiplex.ts";
import { ndjsonReporter } from "../report/ndjson.ts";
import { plainReporter } from "../report/plain.ts";
import type { Io } from "./command.ts";

/** What goes wrong in a console is warned about once and fails nothing. */
export async function chooseReporter(
  plan: Plan,
  io: Io,
  options: { readonly json: boolean; readonly verbose: boolean },
): Promise<Reporter> {
  return multiplexReporter([await consoleFor(plan, io, options)], (message) => io.stderr.write(`warning: ${message}\n`));
}

async function consoleFor(plan: Plan, io: Io, options: { readonly json: boolean; readonly verbose: boolean }): Promise<Reporter> {
  if (options.json) return ndjsonReporter({ write: io.stdout.writeData });
  const { stderr, env } = io;
  const { color } = stderr;
  if (stderr.isTerminal && !options.verbose && env["CI"] === undefined) {
    const { liveReporter } = await import("../report/live.ts");
    return liveReporter(plan, { write: stderr.writeControl, color, columns: stderr.columns, rows: stderr.rows });
  }
  const { write, writeControl } = stderr;
  return plainReporter({ write, writeControl, color, groups: env["GITHUB_ACTIONS"] === "true", verbose: options.verbose });
}
