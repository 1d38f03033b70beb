/**
 * The `replay` adapter: repeats recorded attempts. It starts no process and calls no model. Permissions, artifacts, contracts
 * and retries apply as for any other adapter.
 */
import path from "node:path";
import { partsOfRecording } from "../../core/fingerprint-parts.ts";
import type { Step } from "../../core/pipeline.ts";
import type { Adapter, AdapterContext, AdapterOutcome } from "../../core/ports.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { tryIo } from "../../platform/files.ts";
import { attemptsOf, digestOfStep, readAttempt, readRecordedRun } from "./recording-files.ts";

export interface ReplaySetting {
  /** The project's root, absolute. */
  readonly root: string;
  /** The recording, absolute. Defaults to the one named in the manifest. */
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
      const hint = "name a recording: `adapters: { replay: { recordings: DIR } }`";
      if (directory === undefined) return { detail: "adapter `replay` has nothing to replay", hint: `${hint}, or run \`wave test\`` };
      const run = await readRecordedRun(directory);
      return run.ok ? undefined : { detail: run.error, hint: recordAgain(directory) };
    },
    async run(context) {
      return replay(context, directoryOf(context.step) ?? setting.root);
    },
  };
}

async function replay(context: AdapterContext, directory: string): Promise<Result<AdapterOutcome>> {
  const { step, workspace, log, signal } = context;
  const attempt = context.attempt.number;
  const missing = (detail: string, hint = recordAgain(directory)) =>
    err({ reason: "recording-missing", step: step.id, attempt, detail, hint } as const);
  const attempts = await attemptsOf(directory, step.id);
  if (!attempts.includes(attempt)) return missing(`${directory} has ${attemptsText(attempts)} of this step`);
  const read = await readAttempt(directory, step.id, attempt);
  if (!read.ok) return missing(read.error);
  const { recorded, changes, output, message } = read.value;
  const differing = differences(recorded.asked, partsOfRecording(context.fingerprint.parts));
  if (differing.length > 0)
    return missing(
      `the step has changed since it was recorded: ${differing.join(", ")}`,
      differing.join() === "changes" ? changesHint : undefined,
    );
  log.write(Buffer.from(`replayed from ${directory}, recorded with ${recorded.adapter}\n`), "stdout");
  const changed = await workspace.write("root", changes);
  if (!changed.ok) return changed;
  const written = await workspace.write("output", output);
  if (!written.ok) return written;
  if (signal.aborted) return err({ reason: "cancelled", by: String(signal.reason) });
  if (recorded.failure !== undefined) return err(recorded.failure);
  return ok(message === undefined ? {} : { finalMessage: message });
}

/** The usual causes: the recorded changes are already in the project, or the recording was edited. */
const changesHint =
  "if the project already contains the recorded changes, revert them with `wave rollback`; if you edited the recording, record the later steps again";

function attemptsText(attempts: readonly number[]): string {
  return attempts.length === 0 ? "no attempt" : attempts.length === 1 ? `only attempt ${attempts[0]}` : `attempts ${attempts.join(", ")}`;
}

function differences(before: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => before[name] !== now[name]).sort();
}

function recordAgain(directory: string): string {
  return `record it with another adapter: \`wave run --record ${directory}\``;
}
