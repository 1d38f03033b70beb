/**
 * The trust level of state, by who can write it. `own`: jobs of this repository's own code (push, schedule, dispatch, a
 * pull request from the same repository). `fork`: jobs that execute code of a fork. Pure.
 */
export type TrustLevel = "own" | "fork";

const ranks: Readonly<Record<TrustLevel, number>> = { fork: 0, own: 1 };

/** Whether a job may use state from a carrier with this level; state of a lower level is never used. */
export function mayUse(job: TrustLevel, carrier: TrustLevel): boolean {
  return ranks[carrier] >= ranks[job];
}
