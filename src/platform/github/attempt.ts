/**
 * Retries calls of GitHub's API after temporary errors, unless the service is given up. A request without an answer may have succeeded, so
 * the result of one that creates something is looked up before a retry.
 * https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 */
import { defined } from "../../core/defined.ts";
import type { Failure } from "../../core/failure.ts";
import type { Clock } from "../../core/ports.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { retryAfterOf } from "../../text/retry-after.ts";
import type { ServiceHealth } from "../service-health.ts";

export interface AttemptRequest {
  readonly clock: Clock;
  readonly health: ServiceHealth;
  /** Aborts when the job is cancelled. One more try follows, with a short time limit. */
  readonly signal?: AbortSignal;
}

export interface ApiCall<T> {
  /** Completes a sentence after "to". */
  readonly doing: string;
  readonly send: (signal: AbortSignal) => Promise<{ readonly data: T }>;
  /** Finds the result of an earlier try; returns undefined if it had no effect. Not needed for a call that is safe to repeat. */
  readonly lookUp?: () => Promise<Result<T | undefined>>;
}

/** The most tries without an answer, and the most tries refused because of a rate limit. */
const tries = { lost: 3, limited: 10 } as const;
/** Time limits of a request, and of one after the job was cancelled, in milliseconds. */
const limits = { requestMs: 15_000, cancelledMs: 1_500 } as const;

/** Makes the call. Fails with `github-failed`. */
export async function attempt<T>(request: AttemptRequest, call: ApiCall<T>): Promise<Result<T>> {
  const { clock, health, signal } = request;
  let last: Failure | undefined;
  for (let lost = 0, limited = 0; ; ) {
    if (health.isGivenUp) return err(last ?? unanswered(call.doing));
    if (!(await health.ready(signal))) return err(last ?? paused(call.doing));
    const answer = await send(request, call);
    if (answer.kind === "data") return ok(answer.data);
    last = answer.failure;
    if (answer.kind === "refused") return err(last);
    if (answer.kind === "limited") {
      health.pause(pauseOf(answer.headers, clock.now(), limited));
      limited += 1;
      if (limited >= tries.limited) return err(last);
      continue;
    }
    lost += 1;
    if (health.isGivenUp || signal?.aborted === true) return err(last);
    if (answer.waitMs === undefined) await clock.sleep(400 * 2 ** lost, signal);
    else health.pause(answer.waitMs);
    const found = await call.lookUp?.();
    if (found !== undefined && !found.ok) return err(last);
    if (found?.value !== undefined) return ok(found.value);
    if (lost >= tries.lost) return err(last);
  }
}

type Headers = Readonly<Record<string, string | undefined>>;

type Answer<T> =
  | { readonly kind: "data"; readonly data: T }
  | { readonly kind: "refused"; readonly failure: Failure }
  | { readonly kind: "limited"; readonly failure: Failure; readonly headers: Headers }
  /** There was no answer, or a server failed. `waitMs` is the wait that it requested. */
  | { readonly kind: "lost"; readonly failure: Failure; readonly waitMs?: number };

interface HttpError {
  readonly status?: number;
  readonly message?: string;
  /** The errors of a GraphQL response. */
  readonly errors?: unknown;
  readonly response?: { readonly headers?: Readonly<Record<string, string | number | undefined>> };
}

async function send<T>({ clock, health, signal }: AttemptRequest, { doing, send: make }: ApiCall<T>): Promise<Answer<T>> {
  const isCancelled = signal?.aborted === true;
  const limitMs = isCancelled ? limits.cancelledMs : limits.requestMs;
  const timeout = AbortSignal.timeout(limitMs);
  const startedAt = clock.monotonic();
  // With the short time limit, a timeout does not mean that the service is down.
  const miss = (kind: "timeout" | "error") => isCancelled || health.missed({ kind, startedAt });
  try {
    const { data } = await make(timeout);
    // If the connection breaks, the client returns the part of the body that arrived.
    if (typeof data !== "object" || data === null) throw new Error("the connection broke");
    health.answered();
    return { kind: "data", data };
  } catch (error) {
    if (timeout.aborted) {
      miss("timeout");
      return {
        kind: "lost",
        failure: { reason: "github-failed", doing, detail: `no answer within ${limitMs / 1000} s`, unanswered: true },
      };
    }
    const answer = answerOf(error as HttpError, doing, clock.now());
    if (answer.kind === "lost") miss("error");
    else health.answered();
    return answer;
  }
}

/** Classifies an error of the client. */
export function answerOf(
  { message = "", response, ...error }: HttpError,
  doing: string,
  now: number,
): Exclude<Answer<never>, { kind: "data" }> {
  // For a request without an answer, the client reports status 500.
  const status = response === undefined ? undefined : error.status;
  const headers = textsOf(response?.headers);
  // The client's message ends with a link to its documentation.
  const detail = message.replace(/ - https:\/\/docs\.github\.com.*$/s, "").split("\n")[0] ?? "";
  const failure = { reason: "github-failed", doing, detail, ...defined({ status }) } as const;
  if (isLimited(status, message, headers)) return { kind: "limited", failure: { ...failure, limited: true, hint: limitHint }, headers };
  if (error.errors !== undefined || (status !== undefined && status < 500)) return { kind: "refused", failure };
  const waitMs = retryAfterOf(headers, now);
  const lost = { ...failure, unanswered: true };
  return waitMs === undefined ? { kind: "lost", failure: lost } : { kind: "lost", failure: lost, waitMs };
}

const limitHint = "GitHub limits the requests of this token: run the job again later";

/** https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit */
function isLimited(status: number | undefined, message: string, headers: Headers): boolean {
  if (status === 429) return true;
  const isNamed = /rate limit|abuse/i.test(message) || headers["retry-after"] !== undefined || headers["x-ratelimit-remaining"] === "0";
  return status === 403 && isNamed;
}

/**
 * Milliseconds to pause after a rate limit, by GitHub's documentation: `retry-after`, else until the reset of an exhausted limit, else one
 * minute, doubled each time. `limited`: how often GitHub has refused this call before.
 */
export function pauseOf(headers: Headers, now: number, limited: number): number {
  const requestedMs = retryAfterOf(headers, now);
  if (requestedMs !== undefined) return Math.max(1000, requestedMs);
  const isUsedUp = (headers["x-ratelimit-remaining"] ?? "0") === "0";
  const reset = Number((isUsedUp && headers["x-ratelimit-reset"]) || Number.NaN) * 1000;
  return Number.isFinite(reset) ? Math.max(1000, reset - now) : 60_000 * 2 ** limited;
}

function textsOf(headers: Readonly<Record<string, string | number | undefined>> = {}): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value === undefined ? undefined : String(value)]));
}

function paused(doing: string): Failure {
  return {
    reason: "github-failed",
    doing,
    detail: "GitHub's rate limit lasts longer than the job waits",
    limited: true,
    hint: limitHint,
  };
}

function unanswered(doing: string): Failure {
  return {
    reason: "github-failed",
    doing,
    detail: "GitHub's API does not respond; the job sends it no more requests",
    unanswered: true,
  };
}
