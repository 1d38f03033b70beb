/** How far journals were read, and whether they still start with the same lines. Pure. */
import type { Failure } from "../core/failure.ts";
import { hasLiveWriter, type Liveness } from "./project-run.ts";
import type { JournalReading } from "./read-journal.ts";

/** How far a journal was read when its run was folded. */
export interface Watermark {
  readonly writer: string;
  /** Bytes of the file, including a torn last line. */
  readonly size: number;
  /** Bytes up to the end of the last whole line. */
  readonly bytes: number;
  readonly seq: number;
  readonly head: string;
  readonly closed: boolean;
}

/** The position after a reading. */
export function watermarkOf({ writer, size, bytes, seq, head, closed }: JournalReading): Watermark {
  return { writer, size, bytes, seq, head, closed };
}

/** Whether a process may still write one of a run's journals. */
export function isWritten(readings: readonly JournalReading[], isAlive: Liveness): boolean {
  return readings.some(
    ({ events: [opened], closed, writer }) =>
      opened?.type === "writer-opened" && hasLiveWriter([{ ...opened, writer, closed, spentMs: 0 }], isAlive),
  );
}

/** The failure for a journal whose earlier lines are no longer the same. */
export function rewrittenJournal(readings: readonly JournalReading[], marks: readonly Watermark[]): Failure | undefined {
  for (const mark of marks) {
    const reading = readings.find((one) => one.writer === mark.writer);
    if (reading === undefined || mark.seq === 0 || reading.events[mark.seq - 1]?.hash === mark.head) continue;
    return { reason: "state-damaged", path: reading.file, line: mark.seq, detail: "the line differs from the one that was read before" };
  }
  return undefined;
}
