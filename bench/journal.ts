/**
 * What one event costs a journal that is short and one that is long: written, chained and on disk. Needs what `npm ci` installs:
 *
 *     node .ci/run-ts.mjs bench/journal.ts [EVENTS]      1,000 events are timed at each length by default
 *
 * Beside it is the floor, a program's own `write` and `fdatasync` of the same bytes to a file of the same length. What makes the journal long is
 * written in large pieces and not timed. It measures and does not judge; the budget is printed beside it.
 */
import { type FileHandle, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { digestOfBytes } from "../src/core/digest.ts";
import type { EventPayload } from "../src/core/event.ts";
import type { Journal } from "../src/core/ports.ts";
import type { Result } from "../src/core/result.ts";
import { systemClock } from "../src/platform/clock.ts";
import { createRedactor } from "../src/redaction/redactor.ts";
import { createJournal } from "../src/store/journal.ts";

const counted = Number(process.argv[2] ?? 1000);
const lengths = [1000, 100_000];
/** Events that are appended at once where they are not timed. */
const piece = 1000;

const artifact = { name: "report", digest: digestOfBytes("report"), size: 6, mediaType: "text/plain", source: "output/report" };

const scratch = await mkdtemp(path.join(tmpdir(), "wave-bench-"));
try {
  const file = path.join(scratch, "journals/run/writer.jsonl");
  const journal = must(await createJournal(requestFor(file)));
  const floorFile = path.join(scratch, "floor");
  const floor = await open(floorFile, "ax");
  console.log(`medians of ${counted} appends, in microseconds; ${process.platform}-${process.arch}, Node ${process.versions.node}\n`);
  console.log("events       journal  floor");
  let length = 0;
  const found: number[] = [];
  for (const at of lengths) {
    for (; length < at; length += piece) must(await journal.append(Array.from({ length: piece }, (_, index) => eventOf(length + index))));
    const before = await readFile(file);
    const line = before.subarray(before.lastIndexOf(10, -2) + 1);
    await floor.truncate(0);
    await floor.write(before, 0, before.length, 0);
    await floor.datasync();
    const pairs: { journal: number; floor: number }[] = [];
    for (let each = 0; each < counted; each++) {
      pairs.push({ journal: await timed(() => appendTo(journal, length++)), floor: await timed(() => writeTo(floor, line)) });
    }
    const [own, bare] = [median(pairs.map((pair) => pair.journal)), median(pairs.map((pair) => pair.floor))];
    found.push(own);
    console.log(`${String(at).padEnd(9)}  ${own.toFixed(0).padStart(9)}  ${bare.toFixed(0).padStart(5)}`);
  }
  await floor.close();
  must(await journal.close());
  const [short = 0, long = 0] = found;
  console.log(`\nratio ${(long / short).toFixed(2)}; budget: at most 1.2 x`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

function requestFor(file: string) {
  const here = { host: "bench", wave: "bench", node: process.versions.node, platform: process.platform };
  const opened: EventPayload = { type: "writer-opened", pid: process.pid, processStart: "", ...here };
  return {
    ...{ file, run: "run", writer: "writer", lamport: 0, opened, redactor: createRedactor([]), clock: systemClock },
    release: async () => undefined,
  };
}

function eventOf(index: number): EventPayload {
  return { type: "attempt-passed", step: `s${index}`, attempt: 1, durationMs: 1234, artifacts: [artifact] };
}

async function appendTo(journal: Journal, index: number): Promise<void> {
  must(await journal.append([eventOf(index)]));
}

async function writeTo(file: FileHandle, bytes: Buffer): Promise<void> {
  await file.appendFile(bytes);
  await file.datasync();
}

/** The value of what cannot fail here. */
function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - began) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
