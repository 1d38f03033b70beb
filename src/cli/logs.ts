/** `wave logs`: prints the redacted output of steps. */
import { StringDecoder } from "node:string_decoder";
import { defined } from "../core/defined.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import { followLogs, type LogPiece } from "../engine/follow-logs.ts";
import { openRun } from "../engine/open-run.ts";
import type { LogFilter } from "../engine/select-logs.ts";
import { attemptFailureText } from "../reporters/console/attempt-failure-text.ts";
import { printable } from "../text/printable.ts";
import { type CommandContext, defineCommand } from "./define-command.ts";
import { parseTime } from "./parse-time.ts";

export const logsCommand = defineCommand({
  name: "logs",
  summary: "Print the output of steps",
  details: [
    "Shows the last attempt of each step, in the order of the manifest. --attempt, --errors and --since select others; combined, all must match.",
    "With --json, prints one line per piece of output, with `step`, `attempt` and `text`; with --errors also one with `failure` per failed attempt.",
  ].join(" "),
  args: [{ name: "[step]", description: "a step's id (default: all steps)" }],
  options: [
    { flags: "--run <run>", description: "an id, a unique prefix, `latest`, or a pipeline's name", default: "latest" },
    { flags: "--attempt <number>", description: "this attempt of the step (default: the last)", max: 10_000 },
    { flags: "--errors", description: "all failed attempts, each with its failure" },
    {
      flags: "--since <time>",
      description: "all attempts that were running since then: 10m, 2h, 3d, or a date or time such as 2026-01-31T12:00:00Z",
    },
    { flags: "--follow", description: "keep printing until the run ends, even if another process executes it" },
  ],
  examples: ["wave logs", "wave logs implement --attempt 1", "wave logs --errors", "wave logs --since 10m --follow"],
  run: async (context) => {
    const filter = readFilter(context);
    if (!filter.ok) return filter;
    const opened = await openRun(context.request, context.text("run"), filter.value.step);
    if (!opened.ok) return opened;
    const { store, run } = opened.value;
    const { signal } = context.io;
    const onPiece = printerOf(context, filter.value);
    const followed = await followLogs({ store, run, filter: filter.value, follow: context.flag("follow"), signal, onPiece });
    if (!followed.ok) return followed;
    return ok(followed.value > 0 ? {} : { notes: () => `${noLogs(run, filter.value)}\n` });
  },
});

function readFilter({ args: [step], flag, text, count }: CommandContext): Result<LogFilter> {
  const given = text("since");
  const since = given === undefined ? undefined : parseTime(given, Date.now());
  if (given !== undefined && since === undefined)
    return err({
      reason: "usage",
      message: `--since takes a duration such as 10m or 3d, or a time such as 2026-01-31T12:00:00Z, not \`${given}\``,
    });
  return ok({ errors: flag("errors"), ...defined({ step, attempt: count("attempt"), since }) });
}

/** Prints pieces, with a heading above those of another attempt. */
function printerOf({ io, print }: CommandContext, filter: LogFilter): (piece: LogPiece) => void {
  const isSingle = filter.step !== undefined && !filter.errors && filter.since === undefined;
  let last = "";
  let midLine = false;
  /** Buffer characters that are incomplete so far, by attempt. */
  const decoders = new Map<string, StringDecoder>();
  const heading = (title: string) => {
    const text = isSingle || title === last ? "" : `${midLine ? "\n" : ""}==> ${printable(title)} <==\n`;
    last = title;
    return text;
  };
  return (piece) => {
    const { step, attempt } = piece;
    const title = `${step} (attempt ${attempt})`;
    if (piece.kind === "output") {
      const decoder = decoders.get(title) ?? new StringDecoder("utf8");
      decoders.set(title, decoder);
      print({
        json: { step, attempt, text: decoder.write(Buffer.from(piece.bytes)) },
        text: () => heading(title),
        data: piece.bytes,
      });
      midLine = piece.bytes.at(-1) !== 0x0a;
      return;
    }
    const { failure } = piece;
    const text = () => `${midLine && last === title ? "\n" : heading(title)}${attemptFailureText(failure, io.stdout.color)}`;
    print({ json: { step, attempt, failure }, text });
    midLine = false;
  };
}

/** Explains why no log was printed. */
function noLogs(run: RunRecord, { step: id, attempt, errors, since }: LogFilter): string {
  const step = run.steps.find((record) => record.id === id);
  const from = step?.attempts.length === 0 ? step.reusedFrom : undefined;
  if (from !== undefined) return `step \`${id}\` was reused: \`wave logs ${id} --run ${from.run} --attempt ${from.attempt}\` has its log`;
  const which = `${errors ? "failed " : ""}attempt${attempt === undefined ? "" : ` ${attempt}`}`;
  return `run ${run.id} has no ${which}${id === undefined ? "" : ` of step \`${id}\``}${since === undefined ? "" : ` since ${new Date(since).toISOString()}`}`;
}
