/** Runs a program of the machine's to its end and gives what it printed: for small programs that wave itself trusts, never for children of a step. */
import { spawn } from "node:child_process";
import type { Failure } from "../model/failure.ts";
import { err, ok, type Result } from "../model/result.ts";

export interface Captured {
  /** The exit status; nothing when a signal ended it. */
  readonly code?: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface CaptureRequest {
  readonly command: readonly string[];
  /** All that the program sees of the environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Read on standard input; without it there is none. */
  readonly input?: Uint8Array;
  /** Milliseconds until it is ended by SIGKILL; two minutes by default. */
  readonly limitMs?: number;
  /** Bytes of standard output; more end the program, which then has no exit status. */
  readonly limit?: number;
}

/** A hung file system must not hang a run. */
const defaultLimitMs = 120_000;

/** Fails with `spawn-failed` when the program cannot be started; a status other than 0 is for the caller to judge. */
export function capture({
  command,
  env,
  cwd,
  input,
  limit = Number.POSITIVE_INFINITY,
  limitMs = defaultLimitMs,
}: CaptureRequest): Promise<Result<Captured, Failure>> {
  return new Promise((resolve) => {
    const [file = "", ...words] = command;
    const child = spawn(file, words, { cwd, env: { ...env }, stdio: ["pipe", "pipe", "pipe"] });
    // Not the option of `spawn`: its timer keeps the process alive when the program is not there.
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    const stdout: Buffer[] = [];
    let size = 0;
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) stdout.push(chunk);
      else child.kill("SIGKILL");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      if (stderr.length < 10_000) stderr += chunk.toString();
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve(err({ reason: "spawn-failed", command: file, code: error.code ?? "UNKNOWN", detail: error.message }));
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve(ok({ ...(code === null ? {} : { code }), stdout: Buffer.concat(stdout), stderr }));
    });
    // A program that ends before it has read its input says more by its exit status.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}
