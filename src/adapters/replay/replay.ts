/**
 * The `replay` adapter: a persona that does what was recorded. It starts nothing and asks nobody; what was recorded goes through everything that a new
 * answer goes through: permissions, artifacts, contracts, retries.
 */
import path from "node:path";
import { partsOfRecording } from "../../core/fingerprint-parts.ts";
import type { Step } from "../../core/pipeline.ts";
import type { Adapter, AdapterContext, AdapterOutcome } from "../../core/ports.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { tryIo } from "../../platform/files.ts";
import { attemptsOf, digestOfStep, readAttempt, readRecordedRun } from "./recording-files.ts";

export interface ReplaySetting {
  /** The project; absolute. */
  readonly root: string;
  /** The recording, absolute; absent: the one that the manifest names. */
  readonly recordings?: string;
}

export function replayAdapter(setting: ReplaySetting): Adapter {
  const directoryOf = ({ adapter }: Step) =>
    setting.recordings ?? (adapter?.recordings === undefined ? undefined : path.resolve(setting.root, adapter.recordings));
  return {
    name: "replay",
    async version(step) {
      const directory = directoryOf(step);
      if (directory === undefined) return ok("replay/nothing");
      const read = await tryIo(() => digestOfStep(directory, step.id));
      if (!read.ok) return err({ reason: "file-unreadable", path: directory, ...read.error });
      const digest = read.value;
      return ok(`replay/${digest?.slice(0, 16) ?? "nothing"}`);
    },
    async problem(step) {
      const directory = directoryOf(step);
      const named = "name a recording: `adapters: { replay: { recordings: DIR } }`";
      if (directory === undefined) return { detail: "adapter `replay` has nothing to replay", hint: `${named}, or run \`wave test\`` };
      const run = await readRecordedRun(directory);
      return run.ok ? undefined : { detail: run.error, hint: recordAgain(directory) };
    },
    async run(context) {
      return replay(context, directoryOf(context.step) ?? setting.root);
    },
  };
}

async function replay(context: AdapterContext, directory: string): Promise<Result<AdapterOutcome>> {
  const { step, attempt, workspace, log, signal } = context;
  const missing = (detail: string, hint = recordAgain(directory)) =>
    err({ reason: "recording-missing", step: step.id, attempt, detail, hint } as const);
  const there = await attemptsOf(directory, step.id);
  if (!there.includes(attempt)) return missing(`${directory} has ${attemptsText(there)} of this step`);
  const read = await readAttempt(directory, step.id, attempt);
  if (!read.ok) return missing(read.error);
  const { recorded, changes, output, message } = read.value;
  const differing = differences(recorded.asked, partsOfRecording(context.fingerprint.parts));
  if (differing.length > 0)
    return missing(
      `what is asked has changed since it was recorded: ${differing.join(", ")}`,
      differing.join() === "changes" ? projectHasThem : undefined,
    );
  log.write(Buffer.from(`replayed from ${directory}, where ${recorded.adapter} answered\n`), "stdout");
  const changed = await workspace.write("root", changes);
  if (!changed.ok) return changed;
  const left = await workspace.write("output", output);
  if (!left.ok) return left;
  if (signal.aborted) return err({ reason: "cancelled", by: String(signal.reason) });
  if (recorded.failure !== undefined) return err(recorded.failure);
  return ok(message === undefined ? {} : { finalMessage: message });
}

/** What comes first to somebody who has recorded a run, and replays it in the same project, or edits it. */
const projectHasThem =
  "where the project has what was recorded already, take it back with `wave rollback`; where the recording was edited, record what follows again";

function attemptsText(there: readonly number[]): string {
  return there.length === 0 ? "no attempt" : there.length === 1 ? `attempt ${there[0]} alone` : `attempts ${there.join(", ")}`;
}

function differences(before: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => before[name] !== now[name]).sort();
}

function recordAgain(directory: string): string {
  return `record it with an adapter that works: \`wave run --record ${directory}\``;
}
