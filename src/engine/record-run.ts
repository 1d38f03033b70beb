/** Records a run: checks that it can be recorded, wraps its adapters, and writes the recording when it has ended. */

import { recorder } from "../adapters/replay/record.ts";
import { directoryProblem, writeRecording } from "../adapters/replay/recording-files.ts";
import type { Failure } from "../core/failure.ts";
import type { Plan } from "../core/plan.ts";
import type { Adapter } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import type { RunStore } from "./open-project.ts";

export interface RecordingRequest {
  /** Where the recording goes; absolute. */
  readonly record: string;
  readonly reuse: boolean;
  /** The only steps to execute. They are recorded over an existing recording. */
  readonly selectedSteps?: readonly string[];
}

/** Why a run cannot be recorded. Undefined if it can. */
export async function recordingProblem(plan: Plan, { record, reuse, selectedSteps }: RecordingRequest): Promise<Failure | undefined> {
  if (reuse) return { reason: "usage", message: "cannot record a reused step: it does not run", hint: "remove --reuse or --record" };
  const wanted = plan.steps.filter(({ step }) => selectedSteps === undefined || selectedSteps.includes(step.id));
  const inPlace = wanted.find(({ step }) => step.workspace === "shared");
  if (inPlace !== undefined)
    return {
      reason: "usage",
      message: `step \`${inPlace.step.id}\` cannot be recorded: it runs in the project itself, where its changes are not tracked`,
      hint: "remove `workspace: shared`, or run without --record",
    };
  const replayed = wanted.find(({ step }) => step.adapter?.name === "replay");
  if (replayed !== undefined)
    return {
      reason: "usage",
      message: `step \`${replayed.step.id}\` cannot be recorded: it replays a recording`,
      hint: "choose another adapter with --adapter",
    };
  return directoryProblem(record);
}

/** A recording that is being made. */
export interface Recording {
  readonly adapters: ReadonlyMap<string, Adapter>;
  /** Writes it. Fails with `state-unwritable`. */
  write(): Promise<Result<void>>;
}

/** Records what all adapters of a run return. */
export function recordRun(
  { store, plan, adapters }: { readonly store: RunStore; readonly plan: Plan; readonly adapters: ReadonlyMap<string, Adapter> },
  { record, selectedSteps }: Omit<RecordingRequest, "reuse">,
  input: string | undefined,
): Recording {
  const recording = recorder(store);
  const run = { pipeline: plan.pipeline.name, ...(input === undefined ? {} : { input: store.redactor.text(input) }) };
  return {
    adapters: new Map([...adapters].map(([name, adapter]) => [name, recording.wrap(adapter)])),
    async write() {
      const attempts = recording.takes();
      return attempts.length === 0 ? ok(undefined) : writeRecording(record, run, attempts, store.blobs, selectedSteps === undefined);
    },
  };
}
