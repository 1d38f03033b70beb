/** `wave resume`: resumes a run that did not pass. */
import { defined } from "../core/defined.ts";
import { ok } from "../core/result.ts";
import { type ResumeNotice, resumeRun } from "../engine/resume-run.ts";
import { manifestChangedText, projectChangedText, redefinedText } from "../reporters/console/render-resume-notices.ts";
import { defineCommand } from "./define-command.ts";
import { commandLine, finishRun } from "./finish-run.ts";
import { eventsHelp, executionOptions, executionOptionsOf, stepsOption } from "./run.ts";

export const resumeCommand = defineCommand({
  name: "resume",
  summary: "Resume a failed, cancelled, interrupted or rolled-back run",
  details:
    "Uses the manifest, files and project base from when the run started. Steps that passed do not run again, unless they depend on the step that --from names, or --update finds them changed.",
  args: [{ name: "[run]", description: "an id, a unique prefix, `latest` (default), or a pipeline's name" }],
  environment: false,
  options: [
    stepsOption,
    { flags: "--from <step>", description: "run this step and everything that depends on it again" },
    { flags: "--skip <step>", description: "skip this step and everything that depends on it; may be repeated", repeatable: true },
    { flags: "--update", description: "use the current manifest, after showing how it differs" },
    ...executionOptions,
  ],
  jsonHelp: eventsHelp,
  examples: ["wave resume", "wave resume 3f9a --from build", "wave resume latest --on-failure keep-going"],
  run: async (context) => {
    const { io, json, request, text, flag, list } = context;
    const [selector = "latest"] = context.args;
    const { settings, selectedSteps, hooks, printedFailures } = executionOptionsOf(context);
    const resumed = await resumeRun({
      project: request,
      selector,
      steps: { ...defined({ from: text("from"), selected: selectedSteps }), skip: list("skip") ?? [] },
      settings,
      update: flag("update"),
      signal: io.signal,
      hooks,
      onNotice: (notice) => (json ? undefined : io.stderr.write(noticeText(notice))),
    });
    if (!resumed.ok) return resumed;
    const { finished, run } = resumed.value;
    if (finished === undefined) {
      const { id, status } = run;
      return ok({ json: { ok: true, run: id, status }, notes: () => `run ${id} has already passed: nothing to resume\n` });
    }
    const command = (words: readonly string[]) => commandLine(words, request, io);
    return ok({ code: await finishRun(io, finished, { json, command, printedFailures }) });
  },
});

function noticeText(notice: ResumeNotice): string {
  switch (notice.kind) {
    case "redefined":
      return redefinedText(notice.changes);
    case "manifest-changed":
      return manifestChangedText(notice.runId, notice.files);
    case "project-changed":
      return projectChangedText(notice.runId, notice.affected);
  }
}
