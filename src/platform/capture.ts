/** Runs a program of the machine and captures its output. Only for small programs that Wave trusts, never for children of a step. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";

export interface Captured {
  /** The exit status; undefined if a signal ended the program. */
  readonly code?: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export type SpawnFailed = Extract<Failure, { reason: "spawn-failed" }>;

export interface CaptureRequest {
  readonly command: readonly string[];
  /** The command as shown in failures. Defaults to the program's name. */
  readonly shown?: string;
  /** The program's complete environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Standard input. Without it, the program's standard input is empty. */
  readonly input?: Uint8Array;
  /** Milliseconds until SIGKILL; defaults to two minutes. */
  readonly limitMs?: number;
  /** Sends SIGKILL when aborted. */
  readonly signal?: AbortSignal;
  /** The most bytes of standard output. With more, the program is killed, so it has no exit status. */
  readonly limit?: number;
}

/** A hung file system must not hang a run. */
const defaultLimitMs = 120_000;

/** No time limit: the longest delay of a timer. */
export const noLimitMs = 2 ** 31 - 1;

/** How much standard error is kept, in characters. */
const mostErrors = 10_000;

/** Runs a program. Fails with `spawn-failed` if the program or directory does not exist or cannot start; not for a status other than 0. */
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
    // Without free descriptors the child has no streams, only an error event.
    const { stdin, stdout, stderr } = child;
    // Not `spawn`'s `timeout`: its timer keeps the process alive if the program does not exist.
    const end = () => {
      child.kill("SIGKILL");
      // Does not wait for programs that it started and that hold its output open. Their next write fails.
      stdout?.destroy();
      stderr?.destroy();
    };
    const timer = setTimeout(end, limitMs);
    const finish = () => {
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
      finish();
      failed(error);
    });
    child.on("close", (code) => {
      finish();
      resolve(ok({ ...(code === null ? {} : { code }), stdout: Buffer.concat(printed), stderr: errors }));
    });
    // If a program ends before it reads its input, its exit status is more informative.
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
