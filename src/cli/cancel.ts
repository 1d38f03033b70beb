/** `wave cancel`: cancels a run that another process executes. */
import { ok } from "../core/result.ts";
import { cancelRun } from "../engine/cancel-run.ts";
import { openProjectStore } from "../engine/open-run.ts";
import { renderRun } from "../reporters/console/render-status.ts";
import { defineCommand } from "./define-command.ts";
import { commandLine } from "./finish-run.ts";

export const cancelCommand = defineCommand({
  name: "cancel",
  summary: "Cancel a running run",
  details:
    "Sends SIGTERM to the process that executes the run and waits up to 10s for it to end its steps. The process must run on this host; it is identified by its pid and start time. `wave resume` resumes a cancelled run.",
  args: [{ name: "<run>", description: "an id, a unique prefix, `latest` (the newest active run), or a pipeline's name" }],
  examples: ["wave cancel latest", "wave cancel 3f9a --json"],
  run: async ({ io, request, args: [selector = "latest"] }) => {
    const opened = await openProjectStore(request);
    if (!opened.ok) return opened;
    const cancelled = await cancelRun(opened.value.store, selector);
    if (!cancelled.ok) return cancelled;
    const command = (words: readonly string[]) => commandLine(words, request, io);
    return ok({ json: { ok: true, run: cancelled.value }, text: ({ color }) => renderRun(cancelled.value, { color, command }) });
  },
});
