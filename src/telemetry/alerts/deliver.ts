/** Delivers one alert to one webhook, signed if there is a key. Retries transient failures until the time is over. */
import { createHmac } from "node:crypto";
import type { Clock } from "../../core/ports.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { fetchByProxy } from "../../platform/fetch-by-proxy.ts";
import type { AlertBody } from "./alert-bodies.ts";

export interface DeliveryRequest {
  readonly url: string;
  readonly message: AlertBody;
  readonly id: string;
  /** The key of the signature. Unsigned if undefined. */
  readonly key?: string;
  /** Contains the proxy settings. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Aborts when the time of all alerts is over. */
  readonly signal: AbortSignal;
}

const tries = 4;
/** Milliseconds: the limit of one try, and the pause before the second, which doubles for each further one. */
const limits = { tryMs: 5_000, pauseMs: 300 } as const;

/** Returns the number of tries. Fails with a sentence that does not contain the address, which may be a secret. */
export async function deliver(request: DeliveryRequest): Promise<Result<number, string>> {
  let problem = "its time was over";
  for (let tried = 1; tried <= tries && !request.signal.aborted; tried += 1) {
    if (tried > 1) await request.clock.sleep(limits.pauseMs * 2 ** (tried - 2), request.signal);
    const answer = await once(request);
    if (answer === undefined) return ok(tried);
    problem = answer.problem;
    if (!answer.again) break;
  }
  return err(problem);
}

/** Undefined if the webhook accepted the alert; otherwise the problem, and whether to retry. */
async function once({
  url,
  message,
  id,
  key,
  env,
  signal,
}: DeliveryRequest): Promise<{ readonly problem: string; readonly again: boolean } | undefined> {
  const fetch = await fetchByProxy(env);
  if (!fetch.ok) return { problem: fetch.error, again: false };
  try {
    const response = await fetch.value(url, {
      method: "POST",
      body: message.body,
      headers: { "content-type": message.type, "user-agent": "wave", "wave-alert-id": id, ...signature(message.body, key) },
      // A redirect could send the signed body to another host.
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(limits.tryMs)]),
    });
    await response.body?.cancel();
    if (response.ok) return undefined;
    return { problem: `the webhook answered ${response.status}`, again: response.status === 429 || response.status >= 500 };
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "TimeoutError" || name === "AbortError") return { problem: "the webhook did not answer in time", again: true };
    const cause = error instanceof Error && error.cause instanceof Error && "code" in error.cause ? ` (${String(error.cause.code)})` : "";
    return { problem: `the webhook could not be reached${cause}`, again: true };
  }
}

/** `wave-signature: sha256=HEX`, over the bytes of the body. */
function signature(body: string, key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { "wave-signature": `sha256=${createHmac("sha256", key).update(body).digest("hex")}` };
}
