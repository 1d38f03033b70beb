/** `wave resume`: goes on with a run that did not pass. */
import { resumeRun } from "../resume-run.ts";
import { chooseReporter } from "./choose-reporter.ts";
import { type Command, fail, flag, type Invocation, manifestOptions } from "./command.ts";
import { finish } from "./finish-run.ts";
import { manifestTexts } from "./manifest-texts.ts";
import { projectRequest } from "./project-request.ts";
import { executionOptions, executionWords } from "./run.ts";

export const resumeCommand: Command = {
  name: "resume",
  summary: "Go on with a run that failed, was cancelled or was killed",
  details: "The manifest, its files and the project's base are those of the run's beginning. Steps that passed are not run again.",
  arguments: [{ name: "[run]", description: "an id, a unique prefix, `latest` (default), or a pipeline's name" }],
  options: [...manifestOptions.filter((option) => !option.flags.startsWith("--env")), ...executionOptions],
  examples: ["wave resume", "wave resume 3f9a", "wave resume latest --on-failure keep-going"],
  run: resume,
};

async function resume(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const words = executionWords(invocation);
  if ("reason" in words) return fail(io, words, { json });
  const request = projectRequest(invocation);
  const resumed = await resumeRun({
    ...request,
    ...words,
    selector: invocation.arguments[0] ?? "latest",
    signal: io.signal,
    reporter: (plan) => chooseReporter(plan, io, { json, verbose: flag(invocation, "verbose") }),
  });
  if (!resumed.ok) return fail(io, resumed.error, { json, fileText: manifestTexts(request) });
  const { finished, run } = resumed.value;
  if (finished !== undefined) return finish(io, finished, request, json);
  if (json) io.stdout.write(`${JSON.stringify({ ok: true, run: run.id, status: run.status })}\n`);
  else io.stderr.write(`run ${run.id} passed already: nothing to do\n`);
  return 0;
}
