/**
 * Whether a failed attempt is followed by another, and how long that waits. One total function over `Failure`; it neither
 * waits nor counts.
 */
import { type Failure, isRunFailure } from "../core/failure.ts";
import type { Backoff, ContractDefinition, Step } from "../core/pipeline.ts";
import { unreachable } from "../core/result.ts";
import { longestRetryAfter, retryAfterIn } from "../text/retry-after.ts";

/** How often a step was tried again already in this process, by the budget that paid for it. */
export interface RetryHistory {
  /** Retries by the handover's policy. */
  readonly work: number;
  /** Retries after trouble that has nothing to do with the work. */
  readonly transient: number;
}

/** `waitMs` is the wait without jitter. */
export type RetryDecision =
  | { readonly retry: false }
  | {
      readonly retry: true;
      readonly budget: keyof RetryHistory;
      readonly waitMs: number;
      /** The service asked for this wait: jitter only makes it longer. */
      readonly asked?: true;
    };

/** A crash or an exhausted process table says nothing about the work: one more try, after a second. */
const transientRetries = 1;
const transientWaitMs = 1000;

/** A rate limit passes by itself; without a `retry-after` the waits double from this one. */
const rateLimitRetries = 4;
const rateLimitWaitMs = 5000;

/** Errors of `spawn` that pass: the machine is out of processes, files or memory, or the program is being replaced. */
const passingSpawnErrors: ReadonlySet<string> = new Set(["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ETXTBSY"]);

const never: RetryDecision = { retry: false };

/** Decides over a failed attempt of a step. */
export function retryDecision(failure: Failure, step: Step, history: RetryHistory): RetryDecision {
  if (isRunFailure(failure)) return never;
  switch (failure.reason) {
    case "adapter-crash":
      return afterTrouble(history);
    case "agent-failed":
      if (failure.kind === "rate-limit") return afterRateLimit(failure, history);
      return failure.kind === "auth" || failure.kind === "config" ? never : afterTrouble(history);
    case "spawn-failed":
      return passingSpawnErrors.has(failure.code) ? afterTrouble(history) : never;
    case "contract-failed": {
      const failed = step.contracts.filter(({ name }) => failure.contracts.some((result) => result.name === name));
      return byPolicy(failed, history, "every");
    }
    case "adapter-exit":
    case "timeout":
    case "empty-output":
    case "artifact-missing":
    case "artifact-ambiguous":
      return byPolicy(step.contracts, history, "some");
    case "usage":
    case "manifest-invalid":
    case "file-unreadable":
    case "adapter-missing":
    case "permission-unenforceable":
    case "state-locked":
    case "state-unreadable":
    case "state-unwritable":
    case "state-damaged":
    case "run-not-found":
    case "run-mismatch":
    case "run-active":
    case "run-complete":
    case "budget-exceeded":
    case "recording-missing":
    case "memory-exceeded":
    case "disk-exceeded":
    case "write-denied":
    case "changeset-refused":
    case "merge-conflict":
    case "project-changed":
    case "artifact-refused":
    case "artifact-too-large":
    case "secret-leaked":
    case "input-unavailable":
    case "contract-error":
    case "contract-limit-exceeded":
    case "circuit-open":
    case "workspace-failed":
      return never;
    default:
      return unreachable(failure);
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
 * Half to all of a wait, in whole milliseconds: steps that failed together do not come back together. A wait that a service asked for is
 * prolonged by up to a tenth instead.
 */
export function withJitter({ waitMs, asked }: { readonly waitMs: number; readonly asked?: true }, random: () => number): number {
  return Math.round(waitMs * (asked === true ? 1 + random() / 10 : 0.5 + random() / 2));
}

function afterRateLimit(failure: Extract<Failure, { reason: "agent-failed" }>, { transient }: RetryHistory): RetryDecision {
  if (transient >= rateLimitRetries) return never;
  const asked = failure.retryAfterMs ?? retryAfterIn(failure.detail);
  if (asked === undefined) return { retry: true, budget: "transient", waitMs: rateLimitWaitMs * 2 ** transient };
  return asked > longestRetryAfter ? never : { retry: true, budget: "transient", waitMs: asked, asked: true };
}

function afterTrouble(history: RetryHistory): RetryDecision {
  return history.transient < transientRetries ? { retry: true, budget: "transient", waitMs: transientWaitMs } : never;
}

/**
 * `every`: all contracts given have failed, so one that halts, or whose retries are spent, ends it. `some`: no contract was
 * reached, so any that retries is reason enough. Of several waits the longest counts.
 */
function byPolicy(contracts: readonly ContractDefinition[], history: RetryHistory, needed: "every" | "some"): RetryDecision {
  const willing = contracts.filter((contract) => contract.onFailure === "retry" && history.work < contract.maxRetries);
  if (willing.length === 0 || (needed === "every" && willing.length < contracts.length)) return never;
  const waitMs = Math.max(...willing.map((contract) => backoffWait(contract.backoff, history.work + 1)));
  return { retry: true, budget: "work", waitMs };
}
