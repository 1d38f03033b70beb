/** How far journals were read, and whether that still holds. Pure. */
import type { Failure } from "../core/failure.ts";
import { hasLiveWriter, type Liveness } from "./project-run.ts";
import type { JournalReading } from "./read-journal.ts";

/** How far a journal was read when its run was folded. */
export interface Watermark {
  readonly writer: string;
  /** Of the file, with a torn last line. */
  readonly size: number;
  /** Up to the end of the last whole line. */
  readonly bytes: number;
  readonly seq: number;
  readonly head: string;
  readonly closed: boolean;
}

/** How far a reading went. */
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

/** The failure for a journal that no longer holds what was read of it before. */
export function rewrittenJournal(readings: readonly JournalReading[], marks: readonly Watermark[]): Failure | undefined {
  for (const mark of marks) {
    const reading = readings.find((one) => one.writer === mark.writer);
    if (reading === undefined || mark.seq === 0 || reading.events[mark.seq - 1]?.hash === mark.head) continue;
    return { reason: "state-damaged", path: reading.file, line: mark.seq, detail: "the line is not the one that was read before" };
  }
  return undefined;
}
