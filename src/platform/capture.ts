/** Runs a program of the machine's to its end and gives what it printed: for small programs that wave itself trusts, never for children of a step. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";

export interface Captured {
  /** The exit status; nothing when a signal ended it. */
  readonly code?: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export type SpawnFailed = Extract<Failure, { reason: "spawn-failed" }>;

export interface CaptureRequest {
  readonly command: readonly string[];
  /** The command as people are told of it; absent: the program's name. */
  readonly shown?: string;
  /** All that the program sees of the environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Read on standard input; without it there is none. */
  readonly input?: Uint8Array;
  /** Milliseconds until it is ended by SIGKILL; two minutes by default. */
  readonly limitMs?: number;
  /** Ends it by SIGKILL, like the limit of time. */
  readonly signal?: AbortSignal;
  /** Bytes of standard output; more end the program, which then has no exit status. */
  readonly limit?: number;
}

/** A hung file system must not hang a run. */
const defaultLimitMs = 120_000;

/** For what takes as long as it takes: the longest that a timer can be set to. */
export const noLimitMs = 2 ** 31 - 1;

/** Of standard error, in characters. */
const mostErrors = 10_000;

/** Fails with `spawn-failed` when the program (or the directory) is not there, or nothing can be started; a status other than 0 is for the caller to judge. */
export function capture(request: CaptureRequest): Promise<Result<Captured, SpawnFailed>> {
  const { command, shown = command[0] ?? "", limit = Number.POSITIVE_INFINITY, limitMs = defaultLimitMs, signal } = request;
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(notStarted(shown, error));
    let child: ChildProcess;
    try {
      child = start(request);
    } catch (error) {
      failed(error as NodeJS.ErrnoException);
      return;
    }
    // Where the machine is out of descriptors it has no streams, and only an error comes.
    const { stdin, stdout, stderr } = child;
    // Not the option of `spawn`: its timer keeps the process alive when the program is not there.
    const end = () => {
      child.kill("SIGKILL");
      // What the program started may hold on to its output: that is not waited for, and ends when it next writes.
      stdout?.destroy();
      stderr?.destroy();
    };
    const timer = setTimeout(end, limitMs);
    const settled = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    };
    if (signal?.aborted === true) end();
    else signal?.addEventListener("abort", end);
    const printed: Buffer[] = [];
    let size = 0;
    let errors = "";
    stdout?.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) printed.push(chunk);
      else child.kill("SIGKILL");
    });
    stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (errors.length < mostErrors) errors += text;
    });
    child.on("error", (error) => {
      settled();
      failed(error);
    });
    child.on("close", (code) => {
      settled();
      resolve(ok({ ...(code === null ? {} : { code }), stdout: Buffer.concat(printed), stderr: errors }));
    });
    // A program that ends before it has read its input says more by its exit status.
    stdin?.on("error", () => {});
    stdin?.end(request.input);
  });
}

function start({ command: [file = "", ...args], cwd, env, input }: CaptureRequest): ChildProcess {
  return spawn(file, args, { cwd, env: { ...env }, stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"], windowsHide: true });
}

function notStarted(command: string, { code, message }: NodeJS.ErrnoException): Result<never, SpawnFailed> {
  return err({ reason: "spawn-failed", command, code: code ?? "UNKNOWN", detail: message });
}
