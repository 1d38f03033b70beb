/** `wave status`: what state remembers of runs. */
import { renderRun, renderRuns } from "../reporters/console/render-status.ts";
import { type Command, countOption, fail, flag, type Invocation, jsonOption, manifestOptions, printJson } from "./define-command.ts";
import { openProjectPast } from "./open-store.ts";

export const statusCommand: Command = {
  name: "status",
  summary: "Show runs, or one run with its steps, attempts, verdicts and artifacts",
  arguments: [{ name: "[run]", description: "an id, a unique prefix, `latest`, or a pipeline's name (default: list the runs)" }],
  options: [...manifestOptions, { flags: "--limit <count>", description: "how many runs to list, 1 to 1000", default: "20" }, jsonOption],
  examples: ["wave status", "wave status latest", "wave status 3f9a --json"],
  run: status,
};

async function status(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const limit = countOption(invocation, "limit", 1000);
  if (typeof limit === "object") return fail(io, limit, { json });
  const opened = await openProjectPast(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const { state } = opened.value.store;
  const selector = invocation.arguments[0];
  if (selector === undefined) {
    const runs = await state.recentRuns({ limit: limit ?? 20 });
    if (!runs.ok) return fail(io, runs.error, { json });
    if (json) printJson(io, { ok: true, runs: runs.value });
    else io.stdout.write(renderRuns(runs.value, { color: io.stdout.color }));
    return 0;
  }
  const run = await state.findRun(selector);
  if (!run.ok) return fail(io, run.error, { json });
  if (json) printJson(io, { ok: true, run: run.value });
  else io.stdout.write(renderRun(run.value, { color: io.stdout.color }));
  return 0;
}
