/** `wave cancel`: ends a run that another process executes. */
import { cancelRun } from "../engine/cancel-run.ts";
import { systemClock } from "../platform/clock.ts";
import { renderRun } from "../reporters/console/render-status.ts";
import { type Command, fail, flag, type Invocation, jsonOption, manifestOptions, printJson } from "./define-command.ts";
import { openProjectStore } from "./open-store.ts";

export const cancelCommand: Command = {
  name: "cancel",
  summary: "Cancel a run that is going on",
  details:
    "Sends SIGTERM to the process that executes the run, which ends its steps, and waits up to 10s until it has. The process must be on this host, and is told from every other by its start time. `wave resume` goes on with a cancelled run.",
  arguments: [{ name: "<run>", description: "an id, a unique prefix, `latest`, or a pipeline's name" }],
  options: [...manifestOptions, jsonOption],
  examples: ["wave cancel latest", "wave cancel 3f9a --json"],
  run: cancel,
};

async function cancel(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const opened = await openProjectStore(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const cancelled = await cancelRun(opened.value.store, invocation.arguments[0] ?? "latest", systemClock);
  if (!cancelled.ok) return fail(io, cancelled.error, { json });
  const run = cancelled.value;
  if (json) printJson(io, { ok: true, run });
  else io.stdout.write(renderRun(run, { color: io.stdout.color }));
  return 0;
}
