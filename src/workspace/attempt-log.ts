/**
 * Writes an attempt's output to disk: redacted before any byte is written, buffered, and limited in size. Of an output
 * that is too long it keeps the start and the end, with only the end in memory. It does not interpret the output.
 */

import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import type { AttemptLog } from "../core/attempt-output.ts";
import type { Failure } from "../core/failure.ts";
import type { Redactor } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError } from "../platform/files.ts";
import { formatSize } from "../text/quantity.ts";
import { cleanText, keepEnd } from "../text/text-end.ts";

export interface AttemptLogSetting {
  /** The file; its directory is created with the first byte. */
  readonly path: string;
  readonly redactor: Redactor;
  /** Called with the output as it arrives: redacted text, without control characters except `\n` and `\t`. */
  readonly onText?: (text: string) => void;
  /** Bytes kept from the start. Defaults to 32 MiB. */
  readonly headLimit?: number;
}

/** Bytes kept from the end if the output exceeds the limit. */
const endLimit = 64 * 1024;
const tailLimit = 8 * 1024;
const bufferLimit = 64 * 1024;
/** The longest delay until a reader of the file sees output, in milliseconds. */
const flushMs = 100;

type Stream = "stdout" | "stderr";

/**
 * Opens an attempt's log; creates nothing on disk until output arrives. A failed write (full disk) does not stop the
 * child: `close` returns it as `state-unwritable`.
 */
export function openAttemptLog({ path: file, redactor, onText, headLimit = 32 * 1024 * 1024 }: AttemptLogSetting): AttemptLog {
  const streams = { stdout: filterOf(redactor), stderr: filterOf(redactor) };
  const sink = fileSink(file);
  const tail = keepEnd(tailLimit);
  const end = keepEnd(endLimit);
  let headSize = 0;

  function accept(bytes: Uint8Array, stream: Stream, last: boolean): void {
    const remaining = Math.max(0, headLimit - headSize);
    if (bytes.length > 0 && remaining > 0) sink.write(bytes.subarray(0, remaining));
    headSize += Math.min(bytes.length, remaining);
    if (bytes.length > remaining) end.push(bytes.subarray(remaining));
    tail.push(bytes);
    const text = onText === undefined ? "" : cleanText(streams[stream].decoder.decode(bytes, { stream: !last }));
    if (text !== "") onText?.(text);
  }

  return {
    write: (chunk, stream) => accept(streams[stream].filter.push(chunk), stream, false),
    // Bytes held back by the filter may start a secret, but they are part of the end.
    tail: () =>
      cleanText(tail.text() + (["stdout", "stderr"] as const).map((stream) => Buffer.from(streams[stream].filter.peek())).join("")),
    close: async () => {
      for (const stream of ["stdout", "stderr"] as const) accept(streams[stream].filter.flush(), stream, true);
      const omitted = end.total - end.size;
      if (omitted > 0) sink.write(Buffer.from(`\n[wave: ${formatSize(omitted)} of output omitted]\n`));
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

/** Appends to a file in large chunks. Stops writing after the first error. */
function fileSink(file: string): Sink {
  let descriptor: number | undefined;
  let failure: Failure | undefined;
  let size = 0;
  let pending: Uint8Array[] = [];
  let pendingSize = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (pendingSize === 0 || failure !== undefined) return;
    try {
      descriptor ??= create(file);
      const bytes = pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending);
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset);
      size += bytes.length;
    } catch (error) {
      failure = { reason: "state-unwritable", path: file, ...describeIoError(error) };
    }
    pending = [];
    pendingSize = 0;
  }

  return {
    write(bytes) {
      if (failure !== undefined) return;
      // Copied because the caller reuses the chunk's memory.
      pending.push(Buffer.from(bytes));
      pendingSize += bytes.length;
      if (pendingSize >= bufferLimit) flush();
      else timer ??= setTimeout(flush, flushMs).unref();
    },
    close() {
      flush();
      if (descriptor !== undefined) closeSync(descriptor);
      return failure === undefined ? ok({ path: file, size }) : err(failure);
    },
  };
}

/** Truncates the file: output of a dead attempt with the same number is not this attempt's. */
function create(file: string): number {
  try {
    return openSync(file, "w");
  } catch (error) {
    if (describeIoError(error).code !== "ENOENT") throw error;
    mkdirSync(path.dirname(file), { recursive: true });
    return openSync(file, "w");
  }
}
