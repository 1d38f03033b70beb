/** `wave logs`: what steps printed, scrubbed. */
import { type Command, countOption, fail, flag, type Invocation, jsonOption, manifestOptions, textOption } from "./command.ts";
import { followLogs } from "./follow-logs.ts";
import { openProjectMemory } from "./open-memory.ts";

export const logsCommand: Command = {
  name: "logs",
  summary: "Print what steps printed",
  details: "Without STEP: the last attempt of every step, in the order of the manifest.",
  arguments: [{ name: "[step]", description: "a step's id" }],
  options: [
    ...manifestOptions,
    { flags: "--run <run>", description: "an id, a unique prefix, `latest`, or a pipeline's name", default: "latest" },
    { flags: "--attempt <count>", description: "one attempt of the step (default: the last)" },
    { flags: "--follow", description: "go on printing until the run ends" },
    jsonOption,
  ],
  examples: ["wave logs", "wave logs implement --attempt 1", "wave logs --follow"],
  run: logs,
};

async function logs(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const attempt = countOption(invocation, "attempt", 10_000);
  if (typeof attempt === "object") return fail(io, attempt, { json });
  const opened = await openProjectMemory(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const { memory } = opened.value;
  const run = await memory.state.findRun(textOption(invocation, "run") ?? "latest");
  if (!run.ok) return fail(io, run.error, { json });
  const step = invocation.arguments[0];
  if (step !== undefined && !run.value.steps.some((record) => record.id === step)) {
    const known = run.value.steps.map((record) => record.id).join(", ");
    return fail(io, { reason: "usage", message: `run ${run.value.id} has no step \`${step}\``, hint: `its steps: ${known}` }, { json });
  }
  const wanted = { ...(step === undefined ? {} : { step }), ...(attempt === undefined ? {} : { attempt }) };
  const followed = await followLogs({ memory, run: run.value, wanted, follow: flag(invocation, "follow"), json, io });
  return followed.ok ? 0 : fail(io, followed.error, { json });
}
