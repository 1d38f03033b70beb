/**
 * Finds the attempt that made an artifact: in the run that has it, or in the one whose work that run took over, as far back as it goes.
 * Runs are asked for through `findRun`; nothing here reads state.
 */
import type { Digest } from "../../core/digest.ts";
import type { WaveEvent } from "../../core/event.ts";
import { ok, type Result } from "../../core/result.ts";
import type { AttemptRecord, StepRecord } from "../../core/state.ts";
import type { WorkOrigin } from "../trace/trace.ts";
import type { KnownRun } from "./lineage.ts";

/** A run by its whole id; nothing when state has it no more. */
export type FindRun = (id: string) => Promise<Result<KnownRun | undefined>>;

/** An artifact's place; `attempt`: which one is meant, where that is known. */
export interface Place {
  readonly run: string;
  readonly step: string;
  readonly digest: Digest;
  readonly attempt?: number;
}

/** Where an artifact was made. */
export interface FoundProduction {
  readonly run: KnownRun;
  readonly step: StepRecord;
  readonly attempt: AttemptRecord;
}

export interface Search {
  readonly reusedBy: readonly string[];
  readonly found?: FoundProduction;
  readonly gap?: string;
}

/** Follows an artifact to the attempt that made it. Fails as reading state does; what is not there any more is a gap. */
export async function findProduction(findRun: FindRun, from: Place): Promise<Result<Search>> {
  const reusedBy: string[] = [];
  const visited = new Set<string>();
  let place = from;
  for (;;) {
    const asked = `${place.run}/${place.step}/${place.attempt ?? ""}`;
    if (visited.has(asked)) return ok({ reusedBy, gap: `its runs refer to each other in a circle at run ${place.run}` });
    visited.add(asked);
    const run = await findRun(place.run);
    if (!run.ok) return run;
    if (run.value === undefined) return ok({ reusedBy, gap: `run ${place.run} is not in state any more` });
    const step = run.value.record.steps.find(({ id }) => id === place.step);
    if (step === undefined) return ok({ reusedBy, gap: `run ${place.run} has no step ${place.step} any more` });
    const attempt = attemptIn(step, place);
    const origin = attempt === undefined ? step.reusedFrom : recheckedFrom(run.value.events, step.id, attempt);
    if (origin === undefined) {
      if (attempt === undefined) return ok({ reusedBy, gap: `no attempt of ${place.step} in run ${place.run} is known to have left it` });
      return ok({ reusedBy, found: { run: run.value, step, attempt } });
    }
    if (origin.run !== place.run) reusedBy.push(place.run);
    place = { ...place, run: origin.run, attempt: origin.attempt };
  }
}

/** The attempt that left it: the one that counts before those that do not, and reused work before these. */
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

/** Whose work an attempt judged again, where its persona did not run. */
function recheckedFrom(events: readonly WaveEvent[], step: string, { attempt, finishedAt }: AttemptRecord): WorkOrigin | undefined {
  const known = rechecks.get(events) ?? findRechecks(events);
  rechecks.set(events, known);
  return known.get(`${step}\0${attempt}\0${finishedAt}`);
}

const rechecks = new WeakMap<readonly WaveEvent[], ReadonlyMap<string, WorkOrigin>>();

/** The journal tells of it right after the attempt's end. */
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
