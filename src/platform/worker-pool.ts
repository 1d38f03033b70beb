/**
 * Runs calls that may take too much time or memory in one worker thread, one at a time. A call that exceeds its limits, or is cancelled,
 * ends with the thread; the next call starts another thread. An idle thread does not keep the process alive.
 */

import { Worker } from "node:worker_threads";
import { defined } from "../core/defined.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { ThreadAnswer, ThreadRequest } from "./worker-calls.ts";

export interface WorkerPoolOptions {
  /** The thread's script, which calls `serveCalls`. */
  readonly script: URL;
  /** CPU time limit of a call, in milliseconds. The elapsed time may be `slowdown` times as long, for a busy machine. */
  readonly timeMs: number;
  /** The limit for the growth of the process during a call, in bytes. Includes heap, buffers and compiled code. */
  readonly memoryBytes: number;
}

/** Why a call has no result. */
export type CallProblem =
  | { readonly kind: "exceeded"; readonly what: "time" | "memory" }
  | { readonly kind: "cancelled" }
  /** The thread could not start or ended by itself, or the call threw. */
  | { readonly kind: "broken"; readonly detail: string };

export interface CallOptions {
  /** A value that many calls use, sent to a thread once. */
  readonly shared?: object;
  readonly signal?: AbortSignal;
}

/** The interval at which a call's time and memory are checked, in milliseconds. */
const watchMs = 50;

/** The most that one check adds to a call's time: if this process was stopped or blocked, so may the thread have been. Milliseconds. */
const longestStepMs = 5 * watchMs;

/** CPU time limit for a thread to start and accept a call, in milliseconds. */
const startMs = 10_000;

/** The ratio of a call's elapsed time limit to its CPU time limit. */
const slowdown = 6;

/**
 * V8's own limits. The heap limit is far above `memoryBytes`, because V8 ends the whole process if a single built-in function, such as
 * `JSON.parse`, exceeds it. The stack is as large as a main thread's, so that nesting is refused at the same depth.
 */
const resourceLimits = { maxOldGenerationSizeMb: 4096, stackSizeMb: 1 } as const;

interface Call {
  readonly request: Extract<ThreadRequest, { kind: "call" }>;
  readonly shared: object | undefined;
  finish(result: Result<unknown, CallProblem>): void;
}

interface Thread {
  readonly worker: Worker;
  /** Keys of the shared values already sent. */
  readonly sent: Set<number>;
  /** Calls whose modules were requested. */
  readonly loaded: Set<string>;
}

/** The pool. The first call, or `warm`, starts the thread. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #keys = new WeakMap<object, number>();
  readonly #waiting: Call[] = [];
  #lastId = 0;
  #lastKey = 0;
  #thread: Thread | undefined;
  #current: Call | undefined;
  #watch: NodeJS.Timeout | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Starts the thread and loads the modules of `call`, without waiting. */
  warm(call: string): void {
    this.#thread ??= this.#start();
    if (this.#thread.loaded.has(call)) return;
    this.#thread.loaded.add(call);
    this.#thread.worker.postMessage({ kind: "load", call } satisfies ThreadRequest);
  }

  /** Runs a call, in order. Copies `input` to the thread and the result back. */
  call(name: string, input: unknown, { shared, signal }: CallOptions = {}): Promise<Result<unknown, CallProblem>> {
    if (signal?.aborted) return Promise.resolve(err({ kind: "cancelled" }));
    return new Promise((resolve) => {
      const onAbort = () => this.#cancel(call);
      const key = shared === undefined ? undefined : this.#keyOf(shared);
      const call: Call = {
        request: { kind: "call", id: ++this.#lastId, call: name, input, ...defined({ shared: key }) },
        shared,
        finish(result) {
          signal?.removeEventListener("abort", onAbort);
          resolve(result);
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(call);
      if (this.#current === undefined) this.#next();
    });
  }

  /** Ends the thread, and all calls with `cancelled`. */
  close(): void {
    this.#drop();
    for (const call of this.#waiting.splice(0)) call.finish(err({ kind: "cancelled" }));
    if (this.#current !== undefined) this.#finish(err({ kind: "cancelled" }));
  }

  #start(): Thread {
    const worker = new Worker(this.#options.script, { env: {}, stdout: true, stderr: true, resourceLimits });
    const thread: Thread = { worker, sent: new Set(), loaded: new Set() };
    const end = (problem: CallProblem) => {
      // Ignores a dropped thread.
      if (this.#thread !== thread) return;
      this.#drop();
      if (this.#current !== undefined) this.#finish(err(problem));
    };
    worker.on("message", (answer: ThreadAnswer) => {
      if (this.#thread === thread) this.#take(answer);
    });
    worker.on("error", (error: NodeJS.ErrnoException) =>
      end(
        error.code === "ERR_WORKER_OUT_OF_MEMORY"
          ? { kind: "exceeded", what: "memory" }
          : { kind: "broken", detail: `the evaluation thread failed: ${error.message}` },
      ),
    );
    worker.on("messageerror", (error) => end({ kind: "broken", detail: `its answer cannot be read: ${error.message}` }));
    worker.on("exit", (code) => end({ kind: "broken", detail: `the evaluation thread exited with code ${code}` }));
    // After the listeners, because adding one refs the worker again.
    worker.unref();
    return thread;
  }

  /** Terminates the thread without waiting: a running built-in function cannot be interrupted. */
  #drop(): void {
    const worker = this.#thread?.worker;
    this.#thread = undefined;
    worker?.unref();
    worker?.terminate().catch(() => undefined);
  }

  #next(): void {
    this.#current = this.#waiting.shift();
    if (this.#current === undefined) return;
    const { request, shared } = this.#current;
    this.#thread ??= this.#start();
    const { worker, sent } = this.#thread;
    worker.ref();
    this.#observe(startMs);
    if (shared !== undefined && request.shared !== undefined && !sent.has(request.shared)) {
      sent.add(request.shared);
      worker.postMessage({ kind: "share", key: request.shared, value: shared } satisfies ThreadRequest);
    }
    worker.postMessage(request);
  }

  #take(answer: ThreadAnswer): void {
    if (answer.id !== this.#current?.request.id) return;
    if (answer.kind === "began") this.#observe(this.#options.timeMs);
    else this.#finish(answer.kind === "answer" ? ok(answer.value) : err({ kind: "broken", detail: answer.detail }));
  }

  #observe(limitMs: number): void {
    clearInterval(this.#watch);
    const before = memoryOfThreads();
    const spent = { elapsed: 0, processor: 0 };
    let last = { elapsed: performance.now(), processor: processorTime() };
    this.#watch = setInterval(() => {
      const now = { elapsed: performance.now(), processor: processorTime() };
      const step = Math.min(now.elapsed - last.elapsed, longestStepMs);
      spent.elapsed += step;
      spent.processor += Math.min(now.processor - last.processor, step);
      last = now;
      const isLarge = memoryOfThreads() - before > this.#options.memoryBytes;
      if (!isLarge && spent.processor <= limitMs && spent.elapsed <= limitMs * slowdown) return;
      this.#drop();
      this.#finish(err({ kind: "exceeded", what: isLarge ? "memory" : "time" }));
    }, watchMs);
  }

  #finish(result: Result<unknown, CallProblem>): void {
    clearInterval(this.#watch);
    this.#thread?.worker.unref();
    const ended = this.#current;
    this.#current = undefined;
    ended?.finish(result);
    this.#next();
  }

  #cancel(call: Call): void {
    const index = this.#waiting.indexOf(call);
    if (index >= 0) {
      this.#waiting.splice(index, 1);
      call.finish(err({ kind: "cancelled" }));
    } else if (call === this.#current) {
      this.#drop();
      this.#finish(err({ kind: "cancelled" }));
    }
  }

  #keyOf(shared: object): number {
    const key = this.#keys.get(shared) ?? ++this.#lastKey;
    this.#keys.set(shared, key);
    return key;
  }
}

/** CPU time of this process, in milliseconds. During a call, nearly all of it is the thread's. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Memory of this process without the main thread's heap and buffers, in bytes: the threads, plus a constant part. */
function memoryOfThreads(): number {
  const { rss, heapTotal, external } = process.memoryUsage();
  return rss - heapTotal - external;
}
