/** Chooses how a run is reported: NDJSON with `--json`, a live view on a terminal, plain lines elsewhere. */
import { defined } from "../core/defined.ts";
import type { Io } from "../core/io.ts";
import type { Plan } from "../core/plan.ts";
import type { Reporter } from "../core/ports.ts";
import { plainReporter } from "../reporters/console/plain.ts";
import { multiplexReporter } from "../reporters/multiplex.ts";
import { ndjsonReporter } from "../reporters/ndjson.ts";
import { printable } from "../text/printable.ts";

export interface ReporterOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  /** Ids of the steps that this process executes; defaults to all. */
  readonly part?: readonly string[];
  /** Receives the ids of steps whose last failure was printed in full, for the summary. */
  readonly printedFailures?: Set<string>;
}

/** Prints notes on declared secrets that are not set. A reporter that fails causes one warning and does not fail the run. */
export async function chooseReporter(plan: Plan, io: Io, options: ReporterOptions): Promise<Reporter> {
  if (!options.json) for (const note of unsetSecrets(plan, io.env, options.part)) io.stderr.write(`note: ${note}\n`);
  return multiplexReporter([await consoleFor(plan, io, options)], (message) => io.stderr.write(`warning: ${message}\n`));
}

/** Named in a note. */
const maxSteps = 5;

/** One sentence per declared secret without a value. Not an error: a manifest can declare the keys of several agents. */
function unsetSecrets({ steps }: Plan, env: Io["env"], part?: readonly string[]): string[] {
  const unset = new Map<string, string[]>();
  for (const { step } of steps) {
    // A replayed step starts no process; other jobs execute the other steps with secrets of their own.
    if (step.adapter?.name === "replay" || part?.includes(step.id) === false) continue;
    for (const name of step.secrets) if ((env[name] ?? "") === "") unset.set(name, [...(unset.get(name) ?? []), printable(step.id)]);
  }
  return [...unset].map(([name, ids]) => {
    const more = ids.length > maxSteps ? ` and ${ids.length - maxSteps} more` : "";
    const owners = `${ids.length === 1 ? "step" : "steps"} ${ids.slice(0, maxSteps).join(", ")}${more}`;
    return `secret ${name} is ${env[name] === "" ? "empty" : "not set"} in the environment (declared for ${owners})`;
  });
}

async function consoleFor(plan: Plan, io: Io, options: ReporterOptions): Promise<Reporter> {
  if (options.json) return ndjsonReporter({ write: io.stdout.writeData });
  const { stderr, env } = io;
  const { color } = stderr;
  if (stderr.isTerminal && !options.verbose && env["CI"] === undefined) {
    const { liveReporter } = await import("../reporters/console/live.ts");
    return liveReporter(plan, { write: stderr.writeControl, color, columns: stderr.columns, rows: stderr.rows });
  }
  const { write, writeControl } = stderr;
  const { verbose, printedFailures } = options;
  const groups = env["GITHUB_ACTIONS"] === "true";
  return plainReporter({ write, writeControl, color, groups, verbose, ...defined({ printedFailures }) });
}
