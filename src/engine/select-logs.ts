/** Selects the attempts whose logs are printed. Pure. */
import type { AttemptRecord, RunRecord } from "../core/state.ts";

/** Filters are combined: an attempt must match all of them. */
export interface LogFilter {
  readonly step?: string;
  readonly attempt?: number;
  /** Only failed attempts. */
  readonly errors: boolean;
  /** Only attempts that were running since then, in milliseconds since the epoch. */
  readonly since?: number;
}

/** A selected attempt. */
export interface SelectedLog {
  readonly step: string;
  readonly attempt: number;
  readonly record: AttemptRecord;
}

/**
 * The selected attempts in the order of the manifest. Without a filter of attempts, the last one of each step. Steps in `begun` are being
 * followed: all their attempts from that number on are selected.
 */
export function selectLogs(run: RunRecord, filter: LogFilter, begun: ReadonlyMap<string, number> = new Map()): readonly SelectedLog[] {
  const { step, attempt, errors, since } = filter;
  return run.steps
    .filter(({ id }) => step === undefined || id === step)
    .flatMap(({ id, attempts }) => {
      const numbers = new Map(attempts.map((record) => [record.attempt, record]));
      const first = begun.get(id) ?? attempts.at(-1)?.attempt ?? 0;
      const isSelected = (number: number) =>
        attempt === undefined ? errors || since !== undefined || number >= first : number === attempt;
      return [...numbers.values()]
        .filter(
          (record) =>
            isSelected(record.attempt) && (!errors || record.status === "failed") && (since === undefined || endOf(record) >= since),
        )
        .map((record) => ({ step: id, attempt: record.attempt, record }));
    });
}

/** When an attempt ended. The end of a killed attempt is unknown, so its start counts. */
function endOf({ status, startedAt, finishedAt }: AttemptRecord): number {
  return status === "running" ? Number.POSITIVE_INFINITY : Date.parse(finishedAt ?? startedAt);
}
