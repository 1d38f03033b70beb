/**
 * Pipes for the output of children. Node's own "pipe" is a socket pair, which Linux refuses to open by `/dev/stderr` or `/proc/self/fd/2`
 * (ENXIO); a FIFO can be opened. On macOS `/dev/fd` duplicates descriptors of any type, so nothing is needed there.
 *
 * Node cannot make a FIFO and starting `mkfifo` takes milliseconds, so it makes many at once. Each is opened and its name
 * removed immediately. A FIFO is used for one child only: a process that outlives its attempt could read from it or write to it.
 */
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { capture } from "./capture.ts";

/** One stream of one child. */
export interface OutputPipe {
  /** What the child prints. It ends when no process holds the other side any more. */
  readonly output: Readable;
  /** The descriptor that the child gets. The caller closes it once the child is started. */
  readonly writeEnd: number;
}

/** FIFOs of the first start of `mkfifo`, and at most of a later one; each makes four times as many as the one before. A child takes two. */
const firstBatch = 8;
const largestBatch = 128;
let batchSize = firstBatch;

/** Descriptors of the reading sides, in no order. */
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

/** Makes a batch. If nothing can be made, `works` becomes false for the rest of the process. */
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
    // A full disk, or too few descriptors: what was opened before is used.
  } finally {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
  works = ready.length >= 2;
}

/** Without O_NONBLOCK the open waits for a writer. The flag does not reach the writing side. */
function openReader(place: string): number {
  return openSync(place, constants.O_RDONLY | constants.O_NONBLOCK);
}
