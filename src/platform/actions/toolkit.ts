/** Starts the toolkit's thread on first use and sends it calls. */
import { Worker } from "node:worker_threads";
import type { Clock } from "../../core/ports.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { ServiceHealth } from "../service-health.ts";
import { clientVariables } from "./thread-environment.ts";
import type { ToolkitAnswer, ToolkitCall, ToolkitCalls, ToolkitOutcome, ToolkitProblem, ToolkitRequest } from "./toolkit-calls.ts";

export interface Toolkit {
  /**
   * Makes a call. Fails after `limitMs` milliseconds with `late` or `unanswered`, and with `given-up` once its service is given up. The
   * thread may continue the call.
   */
  ask<C extends ToolkitCall>(
    call: C,
    input: ToolkitCalls[C]["input"],
    limitMs: number,
  ): Promise<Result<ToolkitCalls[C]["output"], ToolkitProblem>>;
  /** Terminates the thread, even during a call. */
  close(): Promise<void>;
}

export interface ToolkitRequestOptions {
  /** The thread's complete environment, including the runtime token. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called with each line that the clients print. */
  readonly onLine?: (line: string) => void;
  readonly clock: Clock;
  readonly services: ToolkitServices;
}

/** The health of the called services. `api` serves the artifacts of other workflow runs. */
export interface ToolkitServices {
  readonly api: ServiceHealth;
  readonly artifacts: ServiceHealth;
  readonly cache: ServiceHealth;
}

/** Opens the toolkit; the first call starts the thread. */
export function openToolkit({ env, onLine, clock, services }: ToolkitRequestOptions): Toolkit {
  const calls = openCalls(clock);
  let worker: Worker | undefined;
  let ended: string | undefined;

  const end = (why: string) => {
    ended = why;
    calls.failAll(() => true, { code: "failed", detail: why });
  };
  for (const service of [services.api, services.artifacts, services.cache])
    service.onGiveUp(() => calls.failAll((of) => of === service, givenUp));
  const start = () => {
    const started = new Worker(new URL("./toolkit-thread.js", import.meta.url), {
      env: { ...clientVariables(env) },
      stdout: true,
      stderr: true,
    });
    started.on("message", (message: ToolkitAnswer | ToolkitOutcome) => ("kind" in message ? calls.record(message) : calls.finish(message)));
    started.on("error", (error) => end(error.message));
    started.on("exit", () => end("the thread of the artifact and cache clients ended"));
    for (const stream of [started.stdout, started.stderr]) followLines(stream, (line) => onLine?.(line));
    return started;
  };
  return {
    async ask(call, input, limitMs) {
      if (ended !== undefined) return err({ code: "failed", detail: ended });
      // Without the token, starting the thread would only take time.
      if ((env["ACTIONS_RUNTIME_TOKEN"] ?? "") === "")
        return err({ code: "unavailable", detail: "the runner did not set ACTIONS_RUNTIME_TOKEN" });
      const service = serviceOf(services, call, input);
      if (service.isGivenUp) return err(givenUp);
      worker ??= start();
      worker.ref();
      const { id, answer } = calls.open(service, limitMs);
      worker.postMessage({ id, call, input } satisfies ToolkitRequest);
      const result = await answer;
      if (calls.size() === 0) worker.unref();
      return result.ok ? ok(result.value as ToolkitCalls[typeof call]["output"]) : err(result.error);
    },
    async close() {
      ended ??= "it was closed";
      await worker?.terminate();
    },
  };
}

/** A call without an answer yet. */
interface OpenCall {
  readonly service: ServiceHealth;
  /** Whether a server answered one of its requests. */
  isAnswered: boolean;
  finish(answer: ToolkitAnswer): void;
}

/** Tracks the open calls, and records their outcomes in the health of their services. */
function openCalls(clock: Clock) {
  const open = new Map<number, OpenCall>();
  let last = 0;
  const finish = (answer: ToolkitAnswer) => {
    const call = open.get(answer.id);
    open.delete(answer.id);
    if (answer.ok) call?.service.answered();
    call?.finish(answer);
  };
  return {
    finish,
    size: () => open.size,
    failAll(of: (service: ServiceHealth) => boolean, error: ToolkitProblem) {
      for (const [id, { service }] of [...open]) if (of(service)) finish({ id, ok: false, error });
    },
    /** Records the outcome of a request. Ignores outcomes of calls that have ended. */
    record({ id, kind, server, tookMs }: ToolkitOutcome) {
      const call = open.get(id);
      if (kind === "answered") {
        if (call !== undefined) call.isAnswered = true;
        call?.service.answered(server);
      } else call?.service.missed({ kind, server, startedAt: clock.monotonic() - tookMs });
    },
    open(service: ServiceHealth, limitMs: number) {
      const id = ++last;
      const startedAt = clock.monotonic();
      const answer = new Promise<ToolkitAnswer>((resolve) => {
        const timer = setTimeout(() => {
          // A slow call does not mean that its service is down.
          const code = call.isAnswered ? "late" : "unanswered";
          finish({ id, ok: false, error: { code, detail: `no answer within ${limitMs / 1000} s` } });
          if (code === "unanswered") service.missed({ kind: "timeout", startedAt });
        }, limitMs);
        const call: OpenCall = {
          service,
          isAnswered: false,
          finish(result) {
            clearTimeout(timer);
            resolve(result);
          },
        };
        open.set(id, call);
      });
      return { id, answer };
    },
  };
}

const givenUp: ToolkitProblem = { code: "given-up", detail: "the service does not respond" };

function serviceOf(services: ToolkitServices, call: ToolkitCall, input: object): ServiceHealth {
  if (call === "findCache" || call === "restoreCache" || call === "saveCache") return services.cache;
  return "from" in input && input.from !== undefined ? services.api : services.artifacts;
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
