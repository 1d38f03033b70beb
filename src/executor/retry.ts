/** Whether a failed attempt is retried, and after which wait. Pure: it neither waits nor counts. */
import type { Failure } from "../core/failure.ts";
import { retryClassOf } from "../core/failures.ts";
import type { Backoff, ContractDefinition, Step } from "../core/pipeline.ts";
import { unreachable } from "../core/result.ts";
import { longestRetryAfter, retryAfterIn } from "../text/retry-after.ts";

/** How many retries of a step this process has started, by the budget that they count against. */
export interface RetryHistory {
  /** Retries by the policy of contracts. */
  readonly work: number;
  /** Retries after crashes, lost connections and rate limits. */
  readonly transient: number;
}

/** `waitMs` is in milliseconds, without jitter. */
export type RetryDecision =
  | { readonly retry: false }
  | {
      readonly retry: true;
      readonly budget: keyof RetryHistory;
      readonly waitMs: number;
      /** The service requires this wait, so jitter may only extend it. */
      readonly requested?: true;
    };

const transientRetries = 1;
const transientWaitMs = 1000;

/** Without a `retry-after`, the wait doubles with each retry. */
const rateLimitRetries = 4;
const rateLimitWaitMs = 5000;

const never: RetryDecision = { retry: false };

/** The decision for a failed attempt of a step. */
export function retryDecision(failure: Failure, step: Step, history: RetryHistory): RetryDecision {
  const retryClass = retryClassOf(failure);
  switch (retryClass) {
    case "never":
      return never;
    case "transient":
      return history.transient < transientRetries ? { retry: true, budget: "transient", waitMs: transientWaitMs } : never;
    case "rate-limit":
      return afterRateLimit(
        failure.reason === "agent-failed" ? (failure.retryAfterMs ?? retryAfterIn(failure.detail)) : undefined,
        history,
      );
    case "failed-contracts": {
      const results = failure.reason === "contract-failed" ? failure.contracts : [];
      const failed = step.contracts.filter(({ name }) => results.some((result) => result.name === name));
      return byPolicy(failed, history, "every");
    }
    case "any-contract":
      return byPolicy(step.contracts, history, "some");
    default:
      return unreachable(retryClass);
  }
}

/** The wait before the `ordinal`-th retry (from 1), in milliseconds, without jitter. */
export function backoffWait(backoff: Backoff, ordinal: number): number {
  switch (backoff.strategy) {
    case "none":
      return 0;
    case "constant":
      return Math.min(backoff.baseMs, backoff.maxMs);
    case "linear":
      return Math.min(backoff.baseMs * ordinal, backoff.maxMs);
    case "exponential":
      return Math.min(backoff.baseMs * 2 ** (ordinal - 1), backoff.maxMs);
    default:
      return unreachable(backoff.strategy);
  }
}

/**
 * Half to all of a wait, in whole milliseconds, so that steps that failed together do not retry together. A wait that a
 * service requires grows by up to a tenth instead.
 */
export function withJitter({ waitMs, requested }: { readonly waitMs: number; readonly requested?: true }, random: () => number): number {
  return Math.round(waitMs * (requested === true ? 1 + random() / 10 : 0.5 + random() / 2));
}

/** `requestedMs`: the wait that the service requires, in milliseconds. */
function afterRateLimit(requestedMs: number | undefined, { transient }: RetryHistory): RetryDecision {
  if (transient >= rateLimitRetries) return never;
  if (requestedMs === undefined) return { retry: true, budget: "transient", waitMs: rateLimitWaitMs * 2 ** transient };
  return requestedMs > longestRetryAfter ? never : { retry: true, budget: "transient", waitMs: requestedMs, requested: true };
}

/**
 * `every`: these contracts failed, and each must have retries left. `some`: no contract was evaluated, and one with
 * retries left suffices. The longest of their waits applies.
 */
function byPolicy(contracts: readonly ContractDefinition[], history: RetryHistory, needed: "every" | "some"): RetryDecision {
  const willing = contracts.filter((contract) => contract.onFailure === "retry" && history.work < contract.maxRetries);
  if (willing.length === 0 || (needed === "every" && willing.length < contracts.length)) return never;
  const waitMs = Math.max(...willing.map((contract) => backoffWait(contract.backoff, history.work + 1)));
  return { retry: true, budget: "work", waitMs };
}
