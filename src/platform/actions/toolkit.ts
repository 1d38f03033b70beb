/** Starts the toolkit's thread on first use, and asks it. */
import { Worker } from "node:worker_threads";
import type { Clock } from "../../core/ports.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { ServiceHealth } from "../service-health.ts";
import { clientVariables } from "./thread-environment.ts";
import type { ToolkitAnswer, ToolkitCall, ToolkitCalls, ToolkitOutcome, ToolkitProblem, ToolkitRequest } from "./toolkit-calls.ts";

export interface Toolkit {
  /**
   * Returns the result of the call, or why it failed: after `limitMs` milliseconds with `late` or `unanswered`, and with `given-up` once its service is given up. The
   * thread may then still be at it.
   */
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
  /** Called with each line that the clients print. */
  readonly onLine?: (line: string) => void;
  readonly clock: Clock;
  readonly services: ToolkitServices;
}

/** What is known of the services that are called. `api`: artifacts of other workflow runs are read through it. */
export interface ToolkitServices {
  readonly api: ServiceHealth;
  readonly artifacts: ServiceHealth;
  readonly cache: ServiceHealth;
}

/** Nothing is started before the first call. */
export function openToolkit({ env, onLine, clock, services }: ToolkitRequestOptions): Toolkit {
  const calls = openCalls(clock);
  let worker: Worker | undefined;
  let ended: string | undefined;

  const end = (why: string) => {
    ended = why;
    calls.settleAll(() => true, { code: "failed", detail: why });
  };
  for (const service of [services.api, services.artifacts, services.cache])
    service.onGiveUp(() => calls.settleAll((of) => of === service, givenUp));
  const start = () => {
    const started = new Worker(new URL("./toolkit-thread.js", import.meta.url), {
      env: { ...clientVariables(env) },
      stdout: true,
      stderr: true,
    });
    started.on("message", (message: ToolkitAnswer | ToolkitOutcome) => ("kind" in message ? calls.heed(message) : calls.settle(message)));
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
      const service = serviceOf(services, call, takes);
      if (service.isGivenUp) return err(givenUp);
      worker ??= start();
      worker.ref();
      const { id, answer } = calls.open(service, limitMs);
      worker.postMessage({ id, call, takes } satisfies ToolkitRequest);
      const given = await answer;
      if (calls.size() === 0) worker.unref();
      return given.ok ? ok(given.value as ToolkitCalls[typeof call]["gives"]) : err(given.error);
    },
    async close() {
      ended ??= "it was closed";
      await worker?.terminate();
    },
  };
}

/** A call that has no answer yet. */
interface OpenCall {
  readonly service: ServiceHealth;
  /** A server answered a request of it. */
  isAnswered: boolean;
  settle(answer: ToolkitAnswer): void;
}

/** The calls that have no answer yet, and what their outcomes say about their services. */
function openCalls(clock: Clock) {
  const open = new Map<number, OpenCall>();
  let last = 0;
  const settle = (answer: ToolkitAnswer) => {
    const call = open.get(answer.id);
    open.delete(answer.id);
    if (answer.ok) call?.service.answered();
    call?.settle(answer);
  };
  return {
    settle,
    size: () => open.size,
    settleAll(of: (service: ServiceHealth) => boolean, error: ToolkitProblem) {
      for (const [id, { service }] of [...open]) if (of(service)) settle({ id, ok: false, error });
    },
    /** Outcomes of calls that are settled do not count: they were late. */
    heed({ id, kind, server, tookMs }: ToolkitOutcome) {
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
          // A slow call does not show that its service is down.
          const code = call.isAnswered ? "late" : "unanswered";
          settle({ id, ok: false, error: { code, detail: `no answer within ${limitMs / 1000} s` } });
          if (code === "unanswered") service.missed({ kind: "timeout", startedAt });
        }, limitMs);
        const call: OpenCall = {
          service,
          isAnswered: false,
          settle(given) {
            clearTimeout(timer);
            resolve(given);
          },
        };
        open.set(id, call);
      });
      return { id, answer };
    },
  };
}

const givenUp: ToolkitProblem = { code: "given-up", detail: "the service does not answer" };

function serviceOf(services: ToolkitServices, call: ToolkitCall, takes: object): ServiceHealth {
  if (call === "findCache" || call === "restoreCache" || call === "saveCache") return services.cache;
  return "from" in takes && takes.from !== undefined ? services.api : services.artifacts;
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
