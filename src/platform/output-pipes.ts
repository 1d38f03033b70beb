/**
 * Pipes for the output of children. Node's "pipe" is a socket pair, which Linux refuses to open through `/dev/stderr` or
 * `/proc/self/fd/2` (ENXIO); a FIFO can be opened. Not needed on macOS, whose `/dev/fd` duplicates descriptors of any type.
 *
 * Node cannot create a FIFO and starting `mkfifo` takes milliseconds, so one start creates many. Each is opened, and its name removed, at
 * once. Each FIFO is used for one child only: a process that outlives its attempt could read from it or write to it.
 */
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { capture } from "./capture.ts";

/** A pipe for one output stream of a child. */
export interface OutputPipe {
  /** The child's output. It ends when no process holds the write end. */
  readonly output: Readable;
  /** The child's descriptor. The caller closes it once the child is started. */
  readonly writeEnd: number;
}

/** FIFOs per start of `mkfifo`: each start creates four times as many, up to the largest. A child uses two. */
const firstBatch = 8;
const largestBatch = 128;
let batchSize = firstBatch;

/** Descriptors of read ends, unordered. */
const ready: number[] = [];
let filling: Promise<void> | undefined;
let works = process.platform === "linux";

/** Pipes for standard output and standard error, in this order. Undefined if FIFOs cannot be made or opened on this machine. */
export async function openOutputPipes(): Promise<readonly [OutputPipe, OutputPipe] | undefined> {
  while (works && ready.length < 2) {
    filling ??= fill().finally(() => {
      filling = undefined;
    });
    await filling;
  }
  const [stdout, stderr] = [openNext(), openNext()];
  if (stdout !== undefined && stderr !== undefined) return [stdout, stderr];
  for (const pipe of [stdout, stderr]) {
    pipe?.output.destroy();
    if (pipe !== undefined) closeSync(pipe.writeEnd);
  }
  return undefined;
}

function openNext(): OutputPipe | undefined {
  const readEnd = ready.pop();
  if (readEnd === undefined) return undefined;
  try {
    const writeEnd = openSync(`/proc/self/fd/${readEnd}`, constants.O_WRONLY);
    return { writeEnd, output: new Socket({ fd: readEnd, readable: true, writable: false }) };
  } catch {
    // Out of descriptors, or no `/proc`.
    closeSync(readEnd);
    return undefined;
  }
}

/** Creates a batch. If this fails, `works` becomes false for the rest of the process. */
async function fill(): Promise<void> {
  let directory: string | undefined;
  try {
    directory = mkdtempSync(path.join(tmpdir(), "wave-pipes-"));
    const names = Array.from({ length: batchSize }, (_, index) => String(index));
    batchSize = Math.min(batchSize * 4, largestBatch);
    const command = ["mkfifo", "-m", "600", ...names];
    await capture({ command, env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" }, cwd: directory });
    for (const name of names) ready.push(openReader(path.join(directory, name)));
  } catch {
    // The disk is full or descriptors ran out. FIFOs opened so far are used.
  } finally {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
  works = ready.length >= 2;
}

/** Without O_NONBLOCK, `open` would wait for a writer. The flag does not affect the write end. */
function openReader(place: string): number {
  return openSync(place, constants.O_RDONLY | constants.O_NONBLOCK);
}
