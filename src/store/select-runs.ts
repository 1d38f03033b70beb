/** Which runs a cleanup takes. Pure. */
import type { RunStatus, RunSummary } from "../core/state.ts";

/** What a person asked for; a run goes when it meets everything that is said. Nothing said: no run goes. */
export interface RunCriteria {
  /** Milliseconds since it ended. */
  readonly olderThanMs?: number;
  readonly statuses?: readonly RunStatus[];
  /** How many of each pipeline's newest runs stay, whatever their status. */
  readonly keepLast?: number;
}

/** A run as a cleanup sees it. `endedAt` in milliseconds since the epoch. */
export interface RunCandidate extends RunSummary {
  readonly endedAt: number;
}

/** Whether the criteria say anything. */
export function saysSomething({ olderThanMs, statuses, keepLast }: RunCriteria): boolean {
  return olderThanMs !== undefined || statuses !== undefined || keepLast !== undefined;
}

/** The runs that meet the criteria, from runs in the order of their start, newest first. Runs that go on, or whose rollback is open, never do. */
export function selectRuns<T extends RunCandidate>(runs: readonly T[], criteria: RunCriteria, now: number): readonly T[] {
  if (!saysSomething(criteria)) return [];
  const { olderThanMs, statuses, keepLast = 0 } = criteria;
  const seen = new Map<string, number>();
  return runs.filter((run) => {
    const newer = seen.get(run.pipeline) ?? 0;
    seen.set(run.pipeline, newer + 1);
    if (run.status === "running" || run.rollback !== undefined || newer < keepLast) return false;
    return (olderThanMs === undefined || now - run.endedAt >= olderThanMs) && (statuses === undefined || statuses.includes(run.status));
  });
}

/** The newest run of each pipeline, from runs in the same order. */
export function newestRuns(runs: readonly RunSummary[]): ReadonlySet<string> {
  const newest = new Map<string, string>();
  for (const { pipeline, id } of runs) if (!newest.has(pipeline)) newest.set(pipeline, id);
  return new Set(newest.values());
}
