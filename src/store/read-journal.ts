/**
 * Reads journals and verifies every line against the one before it. Drops a torn last line of a journal that was not
 * closed; any other deviation is damage, reported with file and line.
 */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { compareEvents, type WaveEvent } from "../core/event.ts";
import { err, ok, type Result } from "../core/result.ts";
import { openWithoutWaiting, stateUnreadable, tryIo } from "../platform/files.ts";
import { isTornLine, type JournalPosition, noHead, readLine } from "./journal-line.ts";

/** The events of one journal, and the position after them. */
export interface JournalReading extends JournalPosition {
  readonly file: string;
  /** Bytes up to the end of the last whole line. */
  readonly bytes: number;
  /** Bytes of the file, including a torn last line. */
  readonly size: number;
  readonly events: readonly WaveEvent[];
}

const extension = ".jsonl";
const lineFeed = 10;

export function journalsDirectory(stateDir: string): string {
  return path.join(stateDir, "journals");
}

export function journalFile(stateDir: string, run: string, writer: string): string {
  return path.join(journalsDirectory(stateDir), run, `${writer}${extension}`);
}

/** The runs that have a directory of journals, sorted by name; empty if there is no state. Fails with `state-unreadable`. */
export async function listJournalRuns(stateDir: string): Promise<Result<readonly string[]>> {
  return entriesOf(journalsDirectory(stateDir), (entry) => (entry.isDirectory ? entry.name : undefined));
}

/** The writers of a run, sorted; empty if the run has no journal. Fails with `state-unreadable`. */
export async function listWriters(stateDir: string, run: string): Promise<Result<readonly string[]>> {
  return entriesOf(path.join(journalsDirectory(stateDir), run), (entry) =>
    !entry.isDirectory && entry.name.endsWith(extension) ? entry.name.slice(0, -extension.length) : undefined,
  );
}

async function entriesOf(
  directory: string,
  nameOf: (entry: { name: string; isDirectory: boolean }) => string | undefined,
): Promise<Result<readonly string[]>> {
  const listed = await tryIo(() => readdir(directory, { withFileTypes: true }));
  if (!listed.ok) return listed.error.code === "ENOENT" ? ok([]) : err(stateUnreadable(directory, listed.error));
  const names = listed.value.map((entry) => nameOf({ name: entry.name, isDirectory: entry.isDirectory() }));
  return ok(names.filter((name) => name !== undefined).sort());
}

/**
 * Reads one writer's journal, from the end of an earlier reading if there is one. Fails with `state-damaged` and
 * `state-unreadable`.
 */
export async function readJournal(stateDir: string, run: string, writer: string, from?: JournalReading): Promise<Result<JournalReading>> {
  const file = journalFile(stateDir, run, writer);
  const start = from ?? { run, writer, file, seq: 0, head: noHead, clock: 0, closed: false, bytes: 0, size: 0, events: [] };
  const read = await tryIo(() => readFrom(file, start.bytes));
  if (!read.ok) {
    if (read.error.code === "ENOENT") return err({ reason: "state-damaged", path: file, detail: "the journal is gone" });
    return err(stateUnreadable(file, read.error));
  }
  return read.value === undefined ? err({ reason: "state-damaged", path: file, detail: cutDetail(start) }) : readLines(read.value, start);
}

/** The detail of the failure for a journal that became shorter. */
export function cutDetail(known: Pick<JournalPosition, "seq">): string {
  return `lines are missing at its end: it once had ${known.seq}`;
}

/** The bytes from an offset; undefined if the file is shorter. */
async function readFrom(file: string, offset: number): Promise<Buffer | undefined> {
  const handle = await openWithoutWaiting(file);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw Object.assign(new Error("not a regular file"), { code: "EINVAL" });
    const { size } = stats;
    if (size < offset) return undefined;
    const bytes = Buffer.allocUnsafe(size - offset);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

function readLines(bytes: Buffer, start: JournalReading): Result<JournalReading> {
  const events = start.events.slice();
  const { file, run, writer } = start;
  let at: JournalPosition = start;
  let offset = 0;
  for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, offset)) {
    const line = readLine(bytes.subarray(offset, end), at);
    if (line.kind === "unsupported") return err({ reason: "state-unreadable", path: file, detail: `line ${at.seq + 1}: ${line.detail}` });
    if (line.kind === "damaged") return err({ reason: "state-damaged", path: file, line: at.seq + 1, detail: line.detail });
    const { event } = line;
    events.push(event);
    at = { run, writer, seq: event.seq, head: event.hash, clock: event.clock, closed: event.type === "writer-closed" };
    offset = end + 1;
  }
  const rest = bytes.subarray(offset);
  if (rest.length > 0 && at.closed)
    return err({ reason: "state-damaged", path: file, line: at.seq + 1, detail: "it is after the closing line" });
  if (rest.length > 0 && !isTornLine(rest))
    return err({ reason: "state-damaged", path: file, line: at.seq + 1, detail: "it does not end with a line feed" });
  return ok({ ...at, file, bytes: start.bytes + offset, size: start.bytes + bytes.length, events });
}

/** Reads all journals of a run, from the end of earlier readings. Empty if there is no such run. */
export async function readRun(
  stateDir: string,
  run: string,
  from: ReadonlyMap<string, JournalReading> = new Map(),
): Promise<Result<readonly JournalReading[]>> {
  const writers = await listWriters(stateDir, run);
  if (!writers.ok) return writers;
  const readings: JournalReading[] = [];
  for (const writer of writers.value) {
    const reading = await readJournal(stateDir, run, writer, from.get(writer));
    if (!reading.ok) return (await isGone(stateDir, run)) ? ok([]) : reading;
    readings.push(reading.value);
  }
  return ok(readings);
}

/** Whether a cleanup removed the run during the read: all its journals disappear at once. */
async function isGone(stateDir: string, run: string): Promise<boolean> {
  const writers = await listWriters(stateDir, run);
  return writers.ok && writers.value.length === 0;
}

/** All events of a run's journals in reading order. */
export function mergeEvents(readings: readonly JournalReading[]): readonly WaveEvent[] {
  const [only] = readings;
  if (readings.length === 1 && only !== undefined) return only.events;
  return readings.flatMap((reading) => reading.events).sort(compareEvents);
}
