/** Which attempts' logs are wanted. Pure. */
import type { AttemptRecord, RunRecord } from "../core/state.ts";

/** What a person asked for. An attempt is wanted when it meets everything that is said. */
export interface WantedLogs {
  readonly step?: string;
  readonly attempt?: number;
  /** Only attempts that failed. */
  readonly errors: boolean;
  /** Only attempts that were at work since, in milliseconds since the epoch. */
  readonly since?: number;
}

/** One attempt whose log is wanted. */
export interface AttemptLog {
  readonly step: string;
  readonly attempt: number;
  readonly record: AttemptRecord;
}

/**
 * The wanted attempts of a run as it stands, in the order of the manifest. Where nothing says which attempts, it is each step's last, and of steps
 * that `begun` names, whose logs a reader already follows, all since that attempt.
 */
export function selectLogs(run: RunRecord, wanted: WantedLogs, begun: ReadonlyMap<string, number> = new Map()): readonly AttemptLog[] {
  const { step, attempt, errors, since } = wanted;
  return run.steps
    .filter(({ id }) => step === undefined || id === step)
    .flatMap(({ id, attempts }) => {
      const numbers = new Map(attempts.map((record) => [record.attempt, record]));
      const first = begun.get(id) ?? attempts.at(-1)?.attempt ?? 0;
      const isNamed = (number: number) => (attempt === undefined ? errors || since !== undefined || number >= first : number === attempt);
      return [...numbers.values()]
        .filter(
          (record) => isNamed(record.attempt) && (!errors || record.status === "failed") && (since === undefined || endOf(record) >= since),
        )
        .map((record) => ({ step: id, attempt: record.attempt, record }));
    });
}

/** When an attempt ended. Of one that was killed nobody knows more than when it began. */
function endOf({ status, startedAt, finishedAt }: AttemptRecord): number {
  return status === "running" ? Number.POSITIVE_INFINITY : Date.parse(finishedAt ?? startedAt);
}
