/** `wave run`: starts a run and executes its steps. */
import path from "node:path";
import { defined } from "../core/defined.ts";
import type { Plan } from "../core/plan.ts";
import { ok } from "../core/result.ts";
import { fileTextOf } from "../engine/open-project.ts";
import { runPipeline } from "../engine/run-pipeline.ts";
import { chooseReporter } from "./choose-reporter.ts";
import { adapterOption, type CommandContext, defineCommand, type OptionDefinition, printDiagnostics } from "./define-command.ts";
import { commandLine, finishRun } from "./finish-run.ts";
import { inputOptions, readInput } from "./run-input.ts";

const onFailureModes = ["finish", "stop", "keep-going"] as const;

/** Shared by `run` and `resume`. */
export const stepsOption: OptionDefinition = {
  flags: "--steps <ids>",
  description: "execute only these steps, separated by commas; their dependencies must have passed in this run",
};

/** Shared by `run` and `resume`. */
export const executionOptions: readonly OptionDefinition[] = [
  { flags: "--concurrency <count>", description: "the most steps that run at a time, 1 to 256", max: 256 },
  {
    flags: "--on-failure <mode>",
    description: "finish: let running steps end; stop: cancel them; keep-going: run steps that do not depend on the failed one",
    choices: onFailureModes,
  },
  { flags: "--reset-circuit", description: "close the circuit breakers of this pipeline first" },
  { flags: "-v, --verbose", description: "show the output of steps" },
];

export const eventsHelp = "print events as NDJSON on stdout";

export const runCommand = defineCommand({
  name: "run",
  summary: "Run a pipeline",
  details:
    "Exits with 0 if every step passed, 1 if one failed, 2 if the manifest is invalid, 4 if this environment cannot run it, and 130 if the run was cancelled.",
  args: [{ name: "[pipeline]", description: "NAME or NAME@VERSION, if the manifest has several" }],
  options: [
    adapterOption,
    ...inputOptions,
    { flags: "--no-apply", description: "do not apply the run's changes to the project" },
    stepsOption,
    { flags: "--record <dir>", description: "record each attempt's output and changes in DIR for replay" },
    { flags: "--reuse", description: "reuse results of earlier runs whose inputs are unchanged" },
    ...executionOptions,
  ],
  jsonHelp: eventsHelp,
  examples: [
    "wave run",
    "wave run -f examples/hello/wave.yaml",
    "wave run release@v2 --concurrency 4 --on-failure keep-going",
    "wave run --json > events.ndjson",
    "wave run --record .wave/recordings/release --no-apply",
  ],
  run: async (context) => {
    const { io, json, request, flag } = context;
    const input = await readInput(context);
    if (!input.ok) return input;
    const [pipeline] = context.args;
    const record = context.text("record");
    const { settings, selectedSteps, hooks, printedFailures } = executionOptionsOf(context);
    const finished = await runPipeline({
      project: request,
      ...defined({ pipeline, input: input.value, record: record && path.resolve(request.cwd, record) }),
      settings: {
        onFailure: "finish",
        ...settings,
        ...defined({ selectedSteps }),
        reuse: flag("reuse"),
        apply: flag("apply"),
      },
      signal: io.signal,
      hooks,
    });
    if (!finished.ok) return finished;
    const { planned } = finished.value;
    if (!json) printDiagnostics(io, planned.read.diagnostics, fileTextOf(planned.read.loaded));
    const command = (words: readonly string[]) => commandLine(words, request, io);
    return ok({ code: await finishRun(io, finished.value, { json, command, printedFailures }) });
  },
});

/** The values of the options that `run` and `resume` share. */
export function executionOptionsOf({ io, json, flag, text, count }: CommandContext) {
  const steps = text("steps");
  const selectedSteps = steps === undefined ? undefined : [...new Set(steps.split(",").map((id) => id.trim()))].filter((id) => id !== "");
  const onFailure = onFailureModes.find((mode) => mode === text("onFailure"));
  const printedFailures = new Set<string>();
  return {
    selectedSteps,
    printedFailures,
    settings: { ...defined({ concurrency: count("concurrency"), onFailure }), resetCircuit: flag("resetCircuit") },
    hooks: {
      reporter: (plan: Plan) =>
        chooseReporter(plan, io, { json, verbose: flag("verbose"), printedFailures, ...defined({ part: selectedSteps }) }),
    },
  };
}
