/**
 * An attempt's output on its way to disk: scrubbed before a byte is written, buffered, capped. It keeps the beginning and the
 * end of an output that is too long, and holds no more than the end in memory. It does not interpret the output.
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import type { Failure } from "../core/failure.ts";
import type { OutputLog, Redactor } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { formatSize } from "../text/quantity.ts";
import { cleanText, keepEnd } from "../text/text-end.ts";

/** An open log. Closing writes what is held back; `size` in bytes, and no file is there when it is 0. */
export interface AttemptLog extends OutputLog {
  close(): Promise<Result<{ readonly path: string; readonly size: number }>>;
}

export interface AttemptLogSetting {
  /** The file; its directory is made when the first byte comes. */
  readonly path: string;
  readonly redactor: Redactor;
  /** Gets the output as it comes: scrubbed, as text, without control characters but `\n` and `\t`. */
  readonly onText?: (text: string) => void;
  /** Bytes kept from the beginning; 32 MiB by default. */
  readonly headLimit?: number;
}

/** Kept from the end of an output that is longer than the limit. */
const endLimit = 64 * 1024;
const tailLimit = 8 * 1024;
const bufferLimit = 64 * 1024;
/** How long a reader that follows the file waits at most. */
const flushMs = 100;

type Stream = "stdout" | "stderr";

/**
 * Opens an attempt's log; touches no disk until output comes. A write that fails (full disk) does not stop the child: `close`
 * gives it as `state-unwritable`.
 */
export function openAttemptLog({ path: file, redactor, onText, headLimit = 32 * 1024 * 1024 }: AttemptLogSetting): AttemptLog {
  const streams = { stdout: filterOf(redactor), stderr: filterOf(redactor) };
  const sink = fileSink(file);
  const tail = keepEnd(tailLimit);
  const end = keepEnd(endLimit);
  let headSize = 0;

  function accept(bytes: Uint8Array, stream: Stream, last: boolean): void {
    const dirs = Math.max(0, headLimit - headSize);
    if (bytes.length > 0 && dirs > 0) sink.write(bytes.subarray(0, dirs));
    headSize += Math.min(bytes.length, dirs);
    if (bytes.length > dirs) end.push(bytes.subarray(dirs));
    tail.push(bytes);
    const text = onText === undefined ? "" : cleanText(streams[stream].decoder.decode(bytes, { stream: !last }));
    if (text !== "") onText?.(text);
  }

  return {
    write: (chunk, stream) => accept(streams[stream].filter.push(chunk), stream, false),
    // What the filter holds back may be the beginning of a secret; it belongs to the end all the same.
    tail: () =>
      cleanText(tail.text() + (["stdout", "stderr"] as const).map((stream) => Buffer.from(streams[stream].filter.peek())).join("")),
    close: async () => {
      for (const stream of ["stdout", "stderr"] as const) accept(streams[stream].filter.flush(), stream, true);
      const left = end.total - end.size;
      if (left > 0) sink.write(Buffer.from(`\n[wave: ${formatSize(left)} of output are left out here]\n`));
      for (const bytes of end.parts()) sink.write(bytes);
      return sink.close();
    },
  };
}

function filterOf(redactor: Redactor) {
  return { filter: redactor.stream(), decoder: new TextDecoder() };
}

interface Sink {
  write(bytes: Uint8Array): void;
  close(): Result<{ path: string; size: number }>;
}

/** Appends to a file in large pieces. The first error ends all writing. */
function fileSink(file: string): Sink {
  let descriptor: number | undefined;
  let failure: Failure | undefined;
  let size = 0;
  let held: Uint8Array[] = [];
  let heldSize = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (heldSize === 0 || failure !== undefined) return;
    try {
      descriptor ??= create(file);
      const bytes = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset);
      size += bytes.length;
    } catch (error) {
      failure = { reason: "state-unwritable", path: file, ...describeIoError(error) };
    }
    held = [];
    heldSize = 0;
  }

  return {
    write(bytes) {
      if (failure !== undefined) return;
      // A copy: the chunk's memory is used again.
      held.push(Buffer.from(bytes));
      heldSize += bytes.length;
      if (heldSize >= bufferLimit) flush();
      else timer ??= setTimeout(flush, flushMs).unref();
    },
    close() {
      flush();
      if (descriptor !== undefined) closeSync(descriptor);
      return failure === undefined ? ok({ path: file, size }) : err(failure);
    },
  };
}

/** Made anew: output of an attempt that died under the same number is not this attempt's. */
function create(file: string): number {
  try {
    return openSync(file, "w");
  } catch (error) {
    if (describeIoError(error).code !== "ENOENT") throw error;
    mkdirSync(path.dirname(file), { recursive: true });
    return openSync(file, "w");
  }
}
