/**
 * How far state may be trusted, by who could have written it. `own`: jobs of this repository's own code (push, schedule, dispatch, a pull request
 * from the same repository). `fork`: jobs that work on code of a fork. Pure.
 */
export type TrustLevel = "own" | "fork";

const ranks: Readonly<Record<TrustLevel, number>> = { fork: 0, own: 1 };

/** Whether a job of one level may use state whose carrier has another: state of a lower level is never used. */
export function mayUse(job: TrustLevel, carrier: TrustLevel): boolean {
  return ranks[carrier] >= ranks[job];
}
