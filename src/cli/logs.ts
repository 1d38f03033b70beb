/** `wave logs`: what steps printed, scrubbed. */
import { defined } from "../core/defined.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import { systemClock } from "../platform/clock.ts";
import { stepOf } from "../store/run-step.ts";
import { type Command, countOption, fail, flag, type Invocation, jsonOption, manifestOptions, textOption } from "./define-command.ts";
import { followLogs } from "./follow-logs.ts";
import { openProjectPast } from "./open-store.ts";
import { parseTime } from "./parse-time.ts";
import type { WantedLogs } from "./select-logs.ts";

export const logsCommand: Command = {
  name: "logs",
  summary: "Print what steps printed",
  details: [
    "Without STEP: of every step, in the order of the manifest. Of each step it is the last attempt, unless --attempt, --errors or --since say which; with several of these, an attempt meets all of them.",
    "With --json: one line for each piece, with `step`, `attempt` and `text`; with --errors also one with `failure`.",
  ].join(" "),
  arguments: [{ name: "[step]", description: "a step's id" }],
  options: [
    ...manifestOptions,
    { flags: "--run <run>", description: "an id, a unique prefix, `latest`, or a pipeline's name", default: "latest" },
    { flags: "--attempt <count>", description: "one attempt of the step (default: the last)" },
    { flags: "--errors", description: "all attempts that failed, each with the reason" },
    {
      flags: "--since <time>",
      description: "all attempts that were at work since: 10m, 2h, 3d, or a date or time such as 2026-01-31T12:00:00Z",
    },
    { flags: "--follow", description: "go on printing until the run ends, whichever process executes it" },
    jsonOption,
  ],
  examples: ["wave logs", "wave logs implement --attempt 1", "wave logs --errors", "wave logs --since 10m --follow"],
  run: logs,
};

async function logs(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const wanted = wantedOf(invocation);
  if (!wanted.ok) return fail(io, wanted.error, { json });
  const opened = await openProjectPast(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const { store } = opened.value;
  const run = await store.state.findRun(textOption(invocation, "run") ?? "latest");
  if (!run.ok) return fail(io, run.error, { json });
  const { step } = wanted.value;
  const known = step === undefined ? ok(undefined) : stepOf(run.value, step);
  if (!known.ok) return fail(io, known.error, { json });
  const follow = flag(invocation, "follow");
  const followed = await followLogs({ store: store, run: run.value, wanted: wanted.value, follow, json, io });
  if (!followed.ok) return fail(io, followed.error, { json });
  if (followed.value === 0 && !json) io.stderr.write(`${nothingToPrint(run.value, wanted.value)}\n`);
  return 0;
}

function wantedOf(invocation: Invocation): Result<WantedLogs> {
  const attempt = countOption(invocation, "attempt", 10_000);
  if (typeof attempt === "object") return err(attempt);
  const text = textOption(invocation, "since");
  const since = text === undefined ? undefined : parseTime(text, systemClock.now());
  if (text !== undefined && since === undefined)
    return err({
      reason: "usage",
      message: `--since takes a duration such as 10m or 3d, or a time such as 2026-01-31T12:00:00Z, not \`${text}\``,
    });
  const step = invocation.arguments[0];
  return ok({
    ...defined({ step, attempt }),
    errors: flag(invocation, "errors"),
    ...defined({ since }),
  });
}

/** Why there is nothing: silence could mean anything. */
function nothingToPrint(run: RunRecord, { step: id, attempt, errors, since }: WantedLogs): string {
  const step = run.steps.find((record) => record.id === id);
  const from = step?.attempts.length === 0 ? step.reusedFrom : undefined;
  if (from !== undefined) return `step \`${id}\` was reused: \`wave logs ${id} --run ${from.run} --attempt ${from.attempt}\` has its log`;
  const which = `${errors ? "failed " : ""}attempt${attempt === undefined ? "" : ` ${attempt}`}`;
  return `run ${run.id} has no ${which}${id === undefined ? "" : ` of step \`${id}\``}${since === undefined ? "" : ` since ${new Date(since).toISOString()}`}`;
}
