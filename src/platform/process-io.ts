/** The streams, environment and signals of the process as an `Io`. No other module uses them directly. */

import { fstatSync } from "node:fs";
import path from "node:path";
import type { Io, Output } from "../core/io.ts";
import type { WrittenEnd } from "../text/runner-text.ts";
import { describeIoError } from "./files.ts";
import { type OutputSetting, outputOn } from "./output.ts";
import { outputSecrets } from "./output-secrets.ts";

/** Output that could not be written, for example to a full disk or a closed terminal. Not output for a reader that has left. */
export interface LostOutput {
  readonly stream: "standard output" | "standard error";
  /** An errno name. */
  readonly code: string;
  readonly detail: string;
}

export interface ProcessIo {
  readonly io: Io;
  /** Aborts the Io's signal, like a signal to the process. */
  abort(reason: string): void;
  /** The first output that was lost. */
  lost(): LostOutput | undefined;
}

/**
 * Creates an Io over `process`. SIGINT and SIGTERM abort its signal with their name. If a stream can no longer be written, its output is
 * dropped and the work continues.
 */
export function processIo(): ProcessIo {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => controller.abort(name));
  let lost: LostOutput | undefined;
  const joined: WrittenEnd = { text: "" };
  const secrets = outputSecrets();
  const streamOutput = (stream: NodeJS.WriteStream & { readonly fd: number }, name: LostOutput["stream"], onAlteredData: () => void) =>
    outputOf(stream, {
      joined,
      redact: secrets.text,
      onAlteredData,
      onError: (error) => {
        // EPIPE: the reader closed the pipe, so the output is not lost.
        if (error.code !== "EPIPE") lost ??= { stream: name, ...describeIoError(error) };
      },
    });
  const stderr = streamOutput(process.stderr, "standard error", () => {});
  return {
    io: {
      cwd: workingDirectory(process.env),
      env: process.env,
      stdout: streamOutput(process.stdout, "standard output", () => stderr.write(alteredText)),
      stderr,
      readStdin,
      signal: controller.signal,
      secrets,
    },
    abort: (reason) => controller.abort(reason),
    lost: () => lost,
  };
}

/** A working directory that was deleted has only the path that the shell remembers. */
function workingDirectory(env: NodeJS.ProcessEnv): string {
  try {
    return process.cwd();
  } catch {
    const remembered = env["PWD"] ?? "";
    return path.isAbsolute(remembered) ? remembered : "/";
  }
}

/** Without this warning, a command that pipes data would process altered bytes unnoticed. */
const alteredText =
  "warning: this output contains workflow commands or control characters, which are neutralised in a runner's log; redirect it to a file for the exact bytes\n";

interface StreamSetting extends Pick<OutputSetting, "joined" | "redact" | "onAlteredData"> {
  readonly onError: (error: NodeJS.ErrnoException) => void;
}

function outputOf(stream: NodeJS.WriteStream & { readonly fd: number }, { onError, ...setting }: StreamSetting): Output {
  let closed = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    closed = true;
    onError(error);
  });
  return outputOn({
    write: (data) => {
      if (!closed) stream.write(data);
    },
    isTerminal: stream.isTTY === true,
    isRunner: isOnRunner(process.env) && !isRegularFile(stream.fd),
    color: wantsColor(stream, process.env),
    columns: stream.columns ?? 80,
    rows: stream.rows ?? 24,
    ...setting,
  });
}

/** Whether a runner started this process. */
function isOnRunner({ GITHUB_ACTIONS: actions }: NodeJS.ProcessEnv): boolean {
  return actions !== undefined && actions !== "" && actions !== "false";
}

function isRegularFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}

/** https://no-color.org, and FORCE_COLOR like supports-color. */
function wantsColor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean {
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") return false;
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}
