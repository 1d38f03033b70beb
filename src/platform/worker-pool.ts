/**
 * One worker thread for work that may take too long or too much memory: calls in, answers out, one at a time. A call that exceeds its time or its
 * memory, or is cancelled, ends with the thread; the next call starts another. An idle thread does not keep the process alive.
 */

import { Worker } from "node:worker_threads";
import { defined } from "../core/defined.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { ThreadAnswer, ThreadRequest } from "./worker-calls.ts";

export interface WorkerPoolOptions {
  /** The thread's script; it serves calls with `serveCalls`. */
  readonly script: URL;
  /** Processor time that one call may take, in milliseconds. It may take `slowdown` times as long on a machine that has other work. */
  readonly timeMs: number;
  /** What the process may grow by during one call, in bytes. Heap, buffers and memory of compiled code count alike. */
  readonly memoryBytes: number;
}

/** Why a call has no answer. */
export type CallProblem =
  | { readonly kind: "exceeded"; readonly what: "time" | "memory" }
  | { readonly kind: "cancelled" }
  /** The thread could not be started, ended by itself, or the call threw. */
  | { readonly kind: "broken"; readonly detail: string };

export interface CallOptions {
  /** A value that many calls share: it is sent to a thread once. */
  readonly shared?: object;
  readonly signal?: AbortSignal;
}

/** How often time and memory of a call are looked at, in milliseconds. */
const watchMs = 50;

/** The most that one look adds to a call's time: while this process was stopped or blocked, the thread may have been, too. */
const longestStepMs = 5 * watchMs;

/** Processor time for a thread to start and to take its first call, in milliseconds. */
const startMs = 10_000;

/** How much longer than its processor time a call may take: the process gets this part of a processor at least. */
const slowdown = 6;

/**
 * V8's own limits. The heap's limit is far above `memoryBytes`: V8 ends the whole process if a single built-in function, such as `JSON.parse`, exceeds
 * it. The stack is as large as that of a main thread, so that nesting is refused at the same depth.
 */
const resourceLimits = { maxOldGenerationSizeMb: 4096, stackSizeMb: 1 } as const;

interface Call {
  readonly request: Extract<ThreadRequest, { kind: "call" }>;
  readonly shared: object | undefined;
  settle(result: Result<unknown, CallProblem>): void;
}

interface Thread {
  readonly worker: Worker;
  /** Keys of shared values that it has. */
  readonly sent: Set<number>;
  /** Calls that it was asked to load. */
  readonly loaded: Set<string>;
}

/** The pool. Nothing is started before the first call. */
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

  /** Starts the thread and loads what `call` needs, without waiting for either. */
  warm(call: string): void {
    this.#thread ??= this.#start();
    if (this.#thread.loaded.has(call)) return;
    this.#thread.loaded.add(call);
    this.#thread.worker.postMessage({ kind: "load", call } satisfies ThreadRequest);
  }

  /** Calls are answered in order. `input` is copied to the thread, the answer back. */
  call(name: string, input: unknown, { shared, signal }: CallOptions = {}): Promise<Result<unknown, CallProblem>> {
    if (signal?.aborted) return Promise.resolve(err({ kind: "cancelled" }));
    return new Promise((resolve) => {
      const onAbort = () => this.#cancel(call);
      const key = shared === undefined ? undefined : this.#keyOf(shared);
      const call: Call = {
        request: { kind: "call", id: ++this.#lastId, call: name, input, ...defined({ shared: key }) },
        shared,
        settle(result) {
          signal?.removeEventListener("abort", onAbort);
          resolve(result);
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(call);
      if (this.#current === undefined) this.#next();
    });
  }

  /** Ends the thread, and every call with `cancelled`. */
  close(): void {
    this.#drop();
    for (const call of this.#waiting.splice(0)) call.settle(err({ kind: "cancelled" }));
    if (this.#current !== undefined) this.#finish(err({ kind: "cancelled" }));
  }

  #start(): Thread {
    const worker = new Worker(this.#options.script, { env: {}, stdout: true, stderr: true, resourceLimits });
    const thread: Thread = { worker, sent: new Set(), loaded: new Set() };
    const end = (problem: CallProblem) => {
      // A thread that was given up has nothing more to report.
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
    worker.on("messageerror", (error) => end({ kind: "broken", detail: `an answer cannot be read: ${error.message}` }));
    worker.on("exit", (code) => end({ kind: "broken", detail: `the evaluation thread exited with code ${code}` }));
    // After the listeners: adding one keeps the process alive again.
    worker.unref();
    return thread;
  }

  /** Gives the thread up. A built-in function that runs in it cannot be interrupted, so nothing waits for its end. */
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
    ended?.settle(result);
    this.#next();
  }

  #cancel(call: Call): void {
    const index = this.#waiting.indexOf(call);
    if (index >= 0) {
      this.#waiting.splice(index, 1);
      call.settle(err({ kind: "cancelled" }));
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

/** Processor time of this process, in milliseconds. While a call is evaluated nearly all of it is the thread's. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Memory of this process without the main thread's heap and buffers, in bytes: that of the threads, and of what is constant. */
function memoryOfThreads(): number {
  const { rss, heapTotal, external } = process.memoryUsage();
  return rss - heapTotal - external;
}
