/** The thread's side of a worker pool: the messages, and the loop that serves calls. */
import { parentPort } from "node:worker_threads";

export type ThreadRequest =
  /** Loads the modules of a call in advance. */
  | { readonly kind: "load"; readonly call: string }
  | { readonly kind: "share"; readonly key: number; readonly value: object }
  | { readonly kind: "call"; readonly id: number; readonly call: string; readonly input: unknown; readonly shared?: number };

export type ThreadAnswer =
  | { readonly kind: "began"; readonly id: number }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  /** The call threw. */
  | { readonly kind: "threw"; readonly id: number; readonly detail: string };

/** Loads the function of a call. `shared` is a value that several calls use. */
export type LoadCall = () => Promise<(input: never, shared: never) => unknown>;

/** Serves calls until the thread is terminated. Only for worker threads. */
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
    // If a module cannot be loaded, the call that needs it reports this.
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
