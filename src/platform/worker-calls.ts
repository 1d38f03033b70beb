/** The thread's side of a worker pool: messages between both, and the loop that answers calls. */
import { parentPort } from "node:worker_threads";

export type ThreadRequest =
  /** Loads what a call needs, so that the call itself is faster. */
  | { readonly kind: "load"; readonly call: string }
  | { readonly kind: "share"; readonly key: number; readonly value: object }
  | { readonly kind: "call"; readonly id: number; readonly call: string; readonly input: unknown; readonly shared?: number };

export type ThreadAnswer =
  | { readonly kind: "began"; readonly id: number }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  /** The call threw. */
  | { readonly kind: "threw"; readonly id: number; readonly detail: string };

/** Loads the function behind a call. `shared` is the value that the caller shares between calls. */
export type LoadCall = () => Promise<(input: never, shared: never) => unknown>;

/** Answers calls until the thread is terminated. Call only in a worker thread. */
export function serveCalls(calls: Readonly<Record<string, LoadCall>>): void {
  const port = parentPort;
  if (port === null) throw new Error("this script runs in a worker thread only");
  const answer = (message: ThreadAnswer) => port.postMessage(message);
  const shared = new Map<number, object>();
  port.on("message", async (request: ThreadRequest) => {
    if (request.kind === "share") {
      shared.set(request.key, request.value);
      return;
    }
    // A module that cannot be loaded is reported by the call that needs it.
    if (request.kind === "load") return void (await calls[request.call]?.().catch(() => undefined));
    const { id } = request;
    answer({ kind: "began", id });
    try {
      const load = calls[request.call];
      if (load === undefined) throw new Error(`unknown call ${request.call}`);
      const work = (await load()) as (input: unknown, shared: unknown) => unknown;
      answer({
        kind: "answer",
        id,
        value: await work(request.input, request.shared === undefined ? undefined : shared.get(request.shared)),
      });
    } catch (error) {
      answer({ kind: "threw", id, detail: error instanceof Error ? error.message : String(error) });
    }
  });
}
