/**
 * Finds the attempt that produced an artifact: in its run, or in the earlier run whose result was reused, over any number of runs. Reads runs only
 * through `findRun`.
 */
import type { Digest } from "../../core/digest.ts";
import type { WaveEvent } from "../../core/event.ts";
import { ok, type Result } from "../../core/result.ts";
import type { AttemptRecord, StepRecord } from "../../core/state.ts";
import type { WorkOrigin } from "../trace/trace.ts";
import type { RunWithEvents } from "./lineage.ts";

/** Returns a run by its full id. Undefined if the store no longer contains it. */
export type FindRun = (id: string) => Promise<Result<RunWithEvents | undefined>>;

/** Where an artifact was recorded. `attempt`: undefined if unknown. */
export interface Place {
  readonly run: string;
  readonly step: string;
  readonly digest: Digest;
  readonly attempt?: number;
}

/** The attempt that produced an artifact. */
export interface FoundProduction {
  readonly run: RunWithEvents;
  readonly step: StepRecord;
  readonly attempt: AttemptRecord;
}

export interface ProducerSearch {
  readonly reusedBy: readonly string[];
  readonly found?: FoundProduction;
  readonly gap?: string;
}

/** Follows an artifact to the attempt that produced it. Fails as `findRun` does. A missing run, step or attempt is a `gap`. */
export async function findProduction(findRun: FindRun, from: Place): Promise<Result<ProducerSearch>> {
  const reusedBy: string[] = [];
  const visited = new Set<string>();
  let place = from;
  for (;;) {
    const key = `${place.run}/${place.step}/${place.attempt ?? ""}`;
    if (visited.has(key)) return ok({ reusedBy, gap: `its runs refer to each other in a circle at run ${place.run}` });
    visited.add(key);
    const run = await findRun(place.run);
    if (!run.ok) return run;
    if (run.value === undefined) return ok({ reusedBy, gap: `run ${place.run} is no longer in the store` });
    const step = run.value.record.steps.find(({ id }) => id === place.step);
    if (step === undefined) return ok({ reusedBy, gap: `run ${place.run} no longer has step ${place.step}` });
    const attempt = attemptIn(step, place);
    const origin = attempt === undefined ? step.reusedFrom : recheckedFrom(run.value.events, step.id, attempt);
    if (origin === undefined) {
      if (attempt === undefined)
        return ok({ reusedBy, gap: `no attempt of ${place.step} in run ${place.run} is known to have produced it` });
      return ok({ reusedBy, found: { run: run.value, step, attempt } });
    }
    if (origin.run !== place.run) reusedBy.push(place.run);
    place = { ...place, run: origin.run, attempt: origin.attempt };
  }
}

/** The attempt that produced the artifact. A passed one takes precedence, then a reused result, then other attempts. */
function attemptIn(step: StepRecord, { digest, attempt: number }: Place): AttemptRecord | undefined {
  const left = step.attempts.filter((attempt) => attempt.artifacts.some((artifact) => artifact.digest === digest));
  const meant = number === undefined ? [] : left.filter(({ attempt }) => attempt === number);
  const some = meant.length > 0 ? meant : left;
  const counted = some.find(({ status, rolledBack }) => status === "passed" && rolledBack !== true);
  if (counted !== undefined) return counted;
  const reused = step.reusedFrom !== undefined && step.artifacts.some((artifact) => artifact.digest === digest);
  if (number === undefined && reused) return undefined;
  return some.find(({ status }) => status === "passed") ?? some[0];
}

/** The attempt whose cached result was checked again. Undefined if the persona ran. */
function recheckedFrom(events: readonly WaveEvent[], step: string, { attempt, finishedAt }: AttemptRecord): WorkOrigin | undefined {
  const known = rechecks.get(events) ?? findRechecks(events);
  rechecks.set(events, known);
  return known.get(`${step}\0${attempt}\0${finishedAt}`);
}

const rechecks = new WeakMap<readonly WaveEvent[], ReadonlyMap<string, WorkOrigin>>();

/** A `step-reused` event directly after `attempt-passed` of the same writer marks a recheck. */
function findRechecks(events: readonly WaveEvent[]): ReadonlyMap<string, WorkOrigin> {
  const found = new Map<string, WorkOrigin>();
  const lastOf = new Map<string, WaveEvent>();
  for (const event of events) {
    const last = lastOf.get(event.writer);
    if (event.type === "step-reused" && last?.type === "attempt-passed" && last.step === event.step)
      found.set(`${last.step}\0${last.attempt}\0${last.ts}`, event.from);
    lastOf.set(event.writer, event);
  }
  return found;
}
