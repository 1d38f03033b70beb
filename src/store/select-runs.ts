/** Selects the runs that a cleanup removes. Pure. */
import type { RunStatus, RunSummary } from "../core/state.ts";

/** The filters of a cleanup. A run is removed if it matches every filter; without filters, none is. */
export interface RunCriteria {
  /** Milliseconds since the run ended. */
  readonly olderThanMs?: number;
  readonly statuses?: readonly RunStatus[];
  /** How many of each pipeline's newest runs to keep, whatever their status. */
  readonly keepLast?: number;
}

/** A run that a cleanup may remove. `endedAt` in milliseconds since the epoch. */
export interface RunCandidate extends RunSummary {
  readonly endedAt: number;
}

export function hasCriteria({ olderThanMs, statuses, keepLast }: RunCriteria): boolean {
  return olderThanMs !== undefined || statuses !== undefined || keepLast !== undefined;
}

/**
 * The runs that match the criteria. `runs` are sorted by start, newest first. Active runs and runs with an open
 * rollback never match.
 */
export function selectRuns<T extends RunCandidate>(runs: readonly T[], criteria: RunCriteria, now: number): readonly T[] {
  if (!hasCriteria(criteria)) return [];
  const { olderThanMs, statuses, keepLast = 0 } = criteria;
  const seen = new Map<string, number>();
  return runs.filter((run) => {
    const newer = seen.get(run.pipeline) ?? 0;
    seen.set(run.pipeline, newer + 1);
    if (run.status === "running" || run.rollback !== undefined || newer < keepLast) return false;
    return (olderThanMs === undefined || now - run.endedAt >= olderThanMs) && (statuses === undefined || statuses.includes(run.status));
  });
}

/** The newest run of each pipeline; `runs` are sorted newest first. */
export function newestRuns(runs: readonly RunSummary[]): ReadonlySet<string> {
  const newest = new Map<string, string>();
  for (const { pipeline, id } of runs) if (!newest.has(pipeline)) newest.set(pipeline, id);
  return new Set(newest.values());
}
