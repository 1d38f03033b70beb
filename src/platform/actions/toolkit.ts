/** Starts the toolkit's thread on first use, and asks it. */
import { Worker } from "node:worker_threads";
import { err, ok, type Result } from "../../model/result.ts";
import { clientVariables } from "./thread-environment.ts";
import type { ToolkitAnswer, ToolkitCall, ToolkitCalls, ToolkitProblem, ToolkitRequest } from "./toolkit-calls.ts";

export interface Toolkit {
  /** Gives what the call gives, or why it failed; after `limitMs` milliseconds with `late`. The thread may then still be at it. */
  ask<C extends ToolkitCall>(
    call: C,
    takes: ToolkitCalls[C]["takes"],
    limitMs: number,
  ): Promise<Result<ToolkitCalls[C]["gives"], ToolkitProblem>>;
  /** Ends the thread, whatever it is at. */
  close(): Promise<void>;
}

export interface ToolkitRequestOptions {
  /** All that the thread sees of the environment; the runtime token is in it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told each line that the clients print. */
  readonly onLine?: (line: string) => void;
}

/** Nothing is started before the first call. */
export function openToolkit({ env, onLine }: ToolkitRequestOptions): Toolkit {
  const open = new Map<number, (answer: ToolkitAnswer) => void>();
  let last = 0;
  let worker: Worker | undefined;
  let ended: string | undefined;

  const end = (why: string) => {
    ended = why;
    for (const [id, settle] of open) settle({ id, ok: false, error: { code: "failed", detail: why } });
    open.clear();
  };
  const start = () => {
    const started = new Worker(new URL("./toolkit-thread.js", import.meta.url), {
      env: { ...clientVariables(env) },
      stdout: true,
      stderr: true,
    });
    started.on("message", (answer: ToolkitAnswer) => {
      open.get(answer.id)?.(answer);
      open.delete(answer.id);
      if (open.size === 0) started.unref();
    });
    started.on("error", (error) => end(error.message));
    started.on("exit", () => end("the thread of the artifact and cache clients ended"));
    for (const stream of [started.stdout, started.stderr]) followLines(stream, (line) => onLine?.(line));
    return started;
  };
  return {
    async ask(call, takes, limitMs) {
      if (ended !== undefined) return err({ code: "failed", detail: ended });
      // A thread takes its time to start, and could do nothing.
      if ((env["ACTIONS_RUNTIME_TOKEN"] ?? "") === "")
        return err({ code: "unavailable", detail: "the runner did not set ACTIONS_RUNTIME_TOKEN" });
      worker ??= start();
      worker.ref();
      const id = ++last;
      const request: ToolkitRequest = { id, call, takes };
      const answer = await new Promise<ToolkitAnswer>((resolve) => {
        const timer = setTimeout(() => {
          open.delete(id);
          if (open.size === 0) worker?.unref();
          resolve({ id, ok: false, error: { code: "late", detail: `no answer within ${limitMs / 1000} s` } });
        }, limitMs);
        open.set(id, (given) => {
          clearTimeout(timer);
          resolve(given);
        });
        worker?.postMessage(request);
      });
      return answer.ok ? ok(answer.value as ToolkitCalls[typeof call]["gives"]) : err(answer.error);
    },
    async close() {
      ended ??= "it was closed";
      await worker?.terminate();
    },
  };
}

function followLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = `${rest}${text}`.split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") onLine(line);
  });
}
