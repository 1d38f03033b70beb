/** `wave resume`: goes on with a run that did not pass. */

import { defined } from "../core/defined.ts";
import { type ResumeNotice, resumeRun } from "../engine/resume-run.ts";
import { projectChangedText, redefinedText } from "../reporters/console/render-resume-notices.ts";
import { chooseReporter } from "./choose-reporter.ts";
import {
  type Command,
  fail,
  flag,
  type Invocation,
  type Io,
  manifestOptions,
  type OptionDefinition,
  printJson,
  textOption,
} from "./define-command.ts";
import { finish } from "./finish-run.ts";
import { manifestTexts } from "./manifest-texts.ts";
import { projectRequest } from "./project-request.ts";
import { executionFlags, executionOptions, partOption, stepsOption } from "./run.ts";

const resumeOptions: readonly OptionDefinition[] = [
  stepsOption,
  { flags: "--from <step>", description: "run this step and all that descends from it again" },
  { flags: "--skip <step>", description: "leave this step out; what needs it is skipped too; may be repeated", repeatable: true },
  { flags: "--update", description: "take the manifest as it is now, and show how it differs first" },
];

export const resumeCommand: Command = {
  name: "resume",
  summary: "Go on with a run that failed, was cancelled, was killed or was rolled back",
  details:
    "The manifest, its files and the project's base are those of the run's beginning. Steps that passed are not run again, unless they descend from the step that --from names, or --update finds them changed.",
  arguments: [{ name: "[run]", description: "an id, a unique prefix, `latest` (default), or a pipeline's name" }],
  options: [...manifestOptions.filter((option) => !option.flags.startsWith("--env")), ...resumeOptions, ...executionOptions],
  examples: ["wave resume", "wave resume 3f9a --from build", "wave resume latest --on-failure keep-going"],
  run: resume,
};

async function resume(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const args = executionFlags(invocation);
  if ("reason" in args) return fail(io, args, { json });
  const request = projectRequest(invocation);
  const from = textOption(invocation, "from");
  const skip = invocation.options["skip"];
  const resumed = await resumeRun({
    ...request,
    ...args,
    selector: invocation.arguments[0] ?? "latest",
    ...defined({ from }),
    ...partOption(invocation),
    skip: Array.isArray(skip) ? skip : [],
    update: flag(invocation, "update"),
    onNotice: (notices) => (json ? undefined : tell(io, notices)),
    signal: io.signal,
    reporter: (plan) => chooseReporter(plan, io, { json, verbose: flag(invocation, "verbose"), ...partOption(invocation) }),
  });
  if (!resumed.ok) return fail(io, resumed.error, { json, fileText: manifestTexts(request) });
  const { finished, run } = resumed.value;
  if (finished !== undefined) return finish(io, finished, request, { json });
  if (json) printJson(io, { ok: true, run: run.id, status: run.status });
  else io.stderr.write(`run ${run.id} passed already: nothing to do\n`);
  return 0;
}

function tell(io: Io, notices: ResumeNotice): void {
  io.stderr.write(notices.kind === "redefined" ? redefinedText(notices.changes) : projectChangedText(notices.run, notices.affected));
}
