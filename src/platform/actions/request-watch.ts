/**
 * Watches the requests that the artifact and cache clients send: they repeat a request for half a minute and more, and have no time limit for an answer. A
 * request without progress is ended, and each outcome is reported. https://nodejs.org/api/diagnostics_channel.html#http
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";

/** What became of one request of a call. `error`: a server answered with 5xx, or its connection failed. */
export interface RequestOutcome {
  readonly kind: "answered" | "timeout" | "error";
  readonly server: string;
  /** Milliseconds since the request was made. */
  readonly tookMs: number;
}

/**
 * Milliseconds in which not one byte was sent or received. A large body may wait longer: the last megabytes are in the kernel's buffers, where a slow
 * line takes its time.
 */
const stallMs = { small: 20_000, large: 60_000 } as const;
/** Bytes of a request that is large. */
const largeBytes = 500_000;

/** The part of a socket's handle that shows how much is still to be sent. */
interface Handle {
  readonly writeQueueSize?: number;
}

const current = new AsyncLocalStorage<(outcome: RequestOutcome) => void>();
let isListening = false;

/** Does work, and reports the outcome of every request that it makes. Before Node 22.12, which names no requests, it reports none. */
export function withWatchedRequests<T>(report: (outcome: RequestOutcome) => void, work: () => Promise<T>): Promise<T> {
  if (!isListening) subscribe("http.client.request.created", (message) => watch((message as { request: ClientRequest }).request));
  isListening = true;
  return current.run(report, work);
}

function watch(request: ClientRequest): void {
  const report = current.getStore();
  if (report === undefined) return;
  const startedAt = performance.now();
  // A connection may have carried other requests before.
  let first = 0;
  request.once("socket", ({ bytesWritten }) => {
    first = bytesWritten;
  });
  let progress = { mark: "", at: startedAt };
  let isReported = false;
  const outcome = (kind: RequestOutcome["kind"]) => {
    // After an answer, only its body can stall.
    if (!isReported || kind === "timeout")
      report({ kind, server: String(request.getHeader("host")), tookMs: performance.now() - startedAt });
    isReported = true;
  };
  const timer = setInterval(() => {
    const now = performance.now();
    const sent = sentOf(request);
    const mark = `${sent} ${request.socket?.bytesRead} ${queuedOf(request)}`;
    if (mark !== progress.mark) progress = { mark, at: now };
    const limitMs = sent - first > largeBytes ? stallMs.large : stallMs.small;
    if (now - progress.at < limitMs) return;
    clearInterval(timer);
    outcome("timeout");
    // The clients do not repeat a request that failed with this code.
    request.destroy(Object.assign(new Error(`no answer within ${limitMs / 1000} s`), { code: "ETIMEDOUT" }));
  }, 500);
  timer.unref();
  request.once("response", ({ statusCode = 0 }: IncomingMessage) => outcome(statusCode >= 500 ? "error" : "answered"));
  request.once("error", () => outcome("error"));
  request.once("close", () => clearInterval(timer));
}

function sentOf({ socket }: ClientRequest): number {
  return socket?.bytesWritten ?? 0;
}

/** Bytes that the kernel did not take yet: they count as written before. */
function queuedOf({ socket }: ClientRequest): number {
  return (socket as { readonly _handle?: Handle | null } | null)?._handle?.writeQueueSize ?? 0;
}
