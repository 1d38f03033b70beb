/** `wave status`: lists recorded runs, and shows one. */
import { ok } from "../core/result.ts";
import { openPastRuns } from "../engine/open-run.ts";
import { renderRun, renderRuns } from "../reporters/console/render-status.ts";
import { defineCommand } from "./define-command.ts";
import { commandLine } from "./finish-run.ts";

export const statusCommand = defineCommand({
  name: "status",
  summary: "List runs, or show one run with its steps, attempts, verdicts and artifacts",
  args: [{ name: "[run]", description: "an id, a unique prefix, `latest`, or a pipeline's name (default: list the runs)" }],
  options: [{ flags: "--limit <count>", description: "how many runs to list, 1 to 1000", default: "20", max: 1000 }],
  examples: ["wave status", "wave status latest", "wave status 3f9a --json"],
  run: async ({ io, request, args: [selector], count }) => {
    const opened = await openPastRuns(request);
    if (!opened.ok) return opened;
    const { state } = opened.value;
    const command = (words: readonly string[]) => commandLine(words, request, io);
    if (selector === undefined) {
      const runs = await state.recentRuns({ limit: count("limit") ?? 20 });
      return runs.ok ? ok({ json: { ok: true, runs: runs.value }, text: ({ color }) => renderRuns(runs.value, { color, command }) }) : runs;
    }
    const run = await state.findRun(selector);
    return run.ok ? ok({ json: { ok: true, run: run.value }, text: ({ color }) => renderRun(run.value, { color, command }) }) : run;
  },
});
