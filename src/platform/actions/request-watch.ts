/**
 * Watches the requests of the artifact and cache clients, which repeat a request for half a minute or longer and have no time limit for
 * an answer. Ends requests without progress and reports each outcome. https://nodejs.org/api/diagnostics_channel.html#http
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";

/** The outcome of one request. `error`: a server answered with 5xx, or the connection failed. */
export interface RequestOutcome {
  readonly kind: "answered" | "timeout" | "error";
  readonly server: string;
  /** Milliseconds since the request was created. */
  readonly tookMs: number;
}

/**
 * The longest time without a sent or received byte, in milliseconds. Longer for a large body: a slow connection takes long to send the
 * last megabytes in the kernel's buffers.
 */
const stallMs = { small: 20_000, large: 60_000 } as const;
/** Requests with more bytes count as large. */
const largeBytes = 500_000;

/** The part of a socket's handle that contains the number of unsent bytes. */
interface Handle {
  readonly writeQueueSize?: number;
}

const current = new AsyncLocalStorage<(outcome: RequestOutcome) => void>();
let isListening = false;

/** Runs `work` and reports the outcome of each of its requests. Reports none before Node 22.12, which lacks the channel. */
export function withWatchedRequests<T>(report: (outcome: RequestOutcome) => void, work: () => Promise<T>): Promise<T> {
  if (!isListening) subscribe("http.client.request.created", (message) => watch((message as { request: ClientRequest }).request));
  isListening = true;
  return current.run(report, work);
}

function watch(request: ClientRequest): void {
  const report = current.getStore();
  if (report === undefined) return;
  const startedAt = performance.now();
  // The connection may have been used for earlier requests.
  let first = 0;
  request.once("socket", ({ bytesWritten }) => {
    first = bytesWritten;
  });
  let progress = { mark: "", at: startedAt };
  let isReported = false;
  const outcome = (kind: RequestOutcome["kind"]) => {
    // After a response, only its body can stall.
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
    // The clients do not retry after this code.
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

/** Bytes that the kernel has not accepted yet, which `bytesWritten` already includes. */
function queuedOf({ socket }: ClientRequest): number {
  return (socket as { readonly _handle?: Handle | null } | null)?._handle?.writeQueueSize ?? 0;
}
