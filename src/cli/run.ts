/** `wave run`: starts a run and executes its steps. */

import path from "node:path";
import { defined } from "../core/defined.ts";
import { fileTextOf } from "../engine/open-project.ts";
import { runPipeline } from "../engine/run-pipeline.ts";
import { chooseReporter } from "./choose-reporter.ts";
import {
  adapterOption,
  type Command,
  countOption,
  fail,
  flag,
  type Invocation,
  jsonOption,
  manifestOptions,
  type OptionDefinition,
  textOption,
  warn,
} from "./define-command.ts";
import { finish } from "./finish-run.ts";
import { manifestTexts } from "./manifest-texts.ts";
import { projectRequest } from "./project-request.ts";
import { inputOptions, readInput } from "./run-input.ts";

const onFailureModes = ["finish", "stop", "keep-going"] as const;

/** What part of a pipeline is executed. */
export const stepsOption: OptionDefinition = {
  flags: "--steps <ids>",
  description: "execute only these steps, separated by commas; what they depend on must have passed in this run",
};

/** The options that `run` and `resume` share. */
export const executionOptions: readonly OptionDefinition[] = [
  { flags: "--concurrency <count>", description: "how many steps may run at once, 1 to 256" },
  {
    flags: "--on-failure <mode>",
    description: "finish: let running steps end; stop: cancel them; keep-going: run what does not depend on it",
    choices: onFailureModes,
  },
  { flags: "--reset-circuit", description: "close the circuit breakers of this pipeline first" },
  { flags: "-v, --verbose", description: "show what steps print" },
  { ...jsonOption, description: "print events as NDJSON on stdout" },
];

export const runCommand: Command = {
  name: "run",
  summary: "Run a pipeline",
  details:
    "Exits 0 when every step passed, 1 when one failed, 2 when the manifest is invalid, 4 when this environment cannot run it, 130 when cancelled.",
  arguments: [{ name: "[pipeline]", description: "NAME or NAME@VERSION, where the manifest has several" }],
  options: [
    ...manifestOptions,
    adapterOption,
    ...inputOptions,
    { flags: "--no-apply", description: "keep the changes of a run that passes out of the project" },
    stepsOption,
    { flags: "--record <dir>", description: "keep what each attempt answers and changes in a directory, to be replayed" },
    { flags: "--reuse", description: "take equal, passed work from earlier runs" },
    ...executionOptions,
  ],
  examples: [
    "wave run",
    "wave run -f examples/hello/wave.yaml",
    "wave run release@v2 --concurrency 4 --on-failure keep-going",
    "wave run --json > events.ndjson",
    "wave run --record .wave/recordings/release --no-apply",
  ],
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const args = executionFlags(invocation);
  if ("reason" in args) return fail(io, args, { json });
  const input = await readInput(invocation);
  if (!input.ok) return fail(io, input.error, { json });
  const pipeline = invocation.arguments[0];
  const request = projectRequest(invocation);
  const record = textOption(invocation, "record");
  const finished = await runPipeline({
    ...request,
    ...args,
    ...partOption(invocation),
    onFailure: args.onFailure ?? "finish",
    ...defined({ pipeline, input: input.value }),
    ...(record === undefined ? {} : { record: path.resolve(request.cwd, record) }),
    reuse: flag(invocation, "reuse"),
    apply: flag(invocation, "apply"),
    signal: io.signal,
    reporter: (plan) => chooseReporter(plan, io, { json, verbose: flag(invocation, "verbose"), ...partOption(invocation) }),
  });
  if (!finished.ok) return fail(io, finished.error, { json, fileText: manifestTexts(request) });
  const { read } = finished.value.planned;
  if (!json) warn(io, read.diagnostics, fileTextOf(read.loaded));
  return finish(io, finished.value, request, { json });
}

/** `--steps`, as the part that it asks for. */
export function partOption(invocation: Invocation): { readonly part?: readonly string[] } {
  const text = textOption(invocation, "steps");
  const part = [...new Set(text?.split(",").map((id) => id.trim()))].filter((id) => id !== "");
  return text === undefined ? {} : { part };
}

/** What `run` and `resume` say about execution, or a usage failure. */
export function executionFlags(invocation: Invocation) {
  const concurrency = countOption(invocation, "concurrency", 256);
  if (typeof concurrency === "object") return concurrency;
  const onFailure = onFailureModes.find((mode) => mode === invocation.options["onFailure"]);
  return {
    ...defined({ concurrency, onFailure }),
    resetCircuit: flag(invocation, "resetCircuit"),
  };
}
