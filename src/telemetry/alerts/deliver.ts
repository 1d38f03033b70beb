/** Hands one alert to one webhook: signed, tried again while that may help, and given up when its time is over. */
import { createHmac } from "node:crypto";
import type { Clock } from "../../core/ports.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { fetchByProxy } from "../../platform/fetch-by-proxy.ts";
import type { AlertBody } from "./alert-bodies.ts";

export interface DeliveryRequest {
  readonly url: string;
  readonly message: AlertBody;
  readonly id: string;
  /** The key of the signature; absent: it is not signed. */
  readonly key?: string;
  /** The environment of the wave process: it says which way requests go. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Aborts when the time of all alerts is over. */
  readonly signal: AbortSignal;
}

const tries = 4;
/** Milliseconds: for one try, and before the second; doubled for each after. */
const limits = { tryMs: 5_000, pauseMs: 300 } as const;

/** Gives how many tries it took. Fails with a sentence that does not hold the address. */
export async function deliver(request: DeliveryRequest): Promise<Result<number, string>> {
  let said = "its time was over";
  for (let tried = 1; tried <= tries && !request.signal.aborted; tried += 1) {
    if (tried > 1) await request.clock.sleep(limits.pauseMs * 2 ** (tried - 2), request.signal);
    const answer = await once(request);
    if (answer === undefined) return ok(tried);
    said = answer.said;
    if (!answer.again) break;
  }
  return err(said);
}

/** Nothing when it was taken; else what was said, and whether another try may help. */
async function once({
  url,
  message,
  id,
  key,
  env,
  signal,
}: DeliveryRequest): Promise<{ readonly said: string; readonly again: boolean } | undefined> {
  const fetch = await fetchByProxy(env);
  if (!fetch.ok) return { said: fetch.error, again: false };
  try {
    const response = await fetch.value(url, {
      method: "POST",
      body: message.body,
      headers: { "content-type": message.type, "user-agent": "wave", "wave-alert-id": id, ...signature(message.body, key) },
      // Where a webhook leads is its owner's business, but a body with a signature goes nowhere else.
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(limits.tryMs)]),
    });
    await response.body?.cancel();
    if (response.ok) return undefined;
    return { said: `the webhook answered ${response.status}`, again: response.status === 429 || response.status >= 500 };
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "TimeoutError" || name === "AbortError") return { said: "the webhook did not answer in time", again: true };
    const cause = error instanceof Error && error.cause instanceof Error && "code" in error.cause ? ` (${String(error.cause.code)})` : "";
    return { said: `the webhook could not be reached${cause}`, again: true };
  }
}

/** `wave-signature: sha256=HEX`, over the bytes of the body. */
function signature(body: string, key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { "wave-signature": `sha256=${createHmac("sha256", key).update(body).digest("hex")}` };
}
