/**
 * Reads journals to find fault: every one is looked at, also when another is damaged. What a journal shows by itself is its chain of
 * hashes; what the tables add is how far it once went, and what its events added up to.
 */
import type { Database } from "sql.js";
import { canonicalJson, digestOfBytes } from "../core/digest.ts";
import type { Failure } from "../core/failure.ts";
import { ok, type Result } from "../core/result.ts";
import { foldRun } from "./fold-run.ts";
import { cutDetail, type JournalReading, journalFile, listWriters, mergeEvents, readJournal } from "./read-journal.ts";
import { derivedRows, loadFold, rowsOfFold } from "./run-rows.ts";
import type { Watermark } from "./watermark.ts";

/** Something that is not as it was written, and where. `line` counts from 1. */
export interface Finding {
  readonly file: string;
  readonly line?: number;
  readonly detail: string;
}

/** What was read of a run, and what is wrong with it. */
export interface RunCheck {
  readonly readings: readonly JournalReading[];
  readonly findings: readonly Finding[];
}

/** Reads all journals of a run against how far they were read before. Fails where the run's directory cannot be listed. */
export async function checkRun(stateDir: string, run: string, marks: readonly Watermark[]): Promise<Result<RunCheck>> {
  const writers = await listWriters(stateDir, run);
  if (!writers.ok) return writers;
  // All at once is what a cleanup does; the tables know whether it did.
  if (writers.value.length === 0) return ok({ readings: [], findings: [] });
  const readings: JournalReading[] = [];
  const findings: Finding[] = [];
  for (const writer of writers.value) {
    const reading = await readJournal(stateDir, run, writer);
    if (reading.ok) readings.push(reading.value);
    else findings.push(findingOf(reading.error, journalFile(stateDir, run, writer)));
  }
  findings.push(...disagreements(stateDir, run, marks, { found: writers.value, readings }));
  return ok({ readings, findings });
}

function disagreements(
  stateDir: string,
  run: string,
  marks: readonly Watermark[],
  { found, readings }: { readonly found: readonly string[]; readonly readings: readonly JournalReading[] },
): readonly Finding[] {
  return marks.flatMap((mark): readonly Finding[] => {
    const file = journalFile(stateDir, run, mark.writer);
    if (!found.includes(mark.writer)) return [{ file, detail: "the journal is gone" }];
    const reading = readings.find((one) => one.writer === mark.writer);
    if (reading === undefined || mark.seq === 0) return [];
    if (reading.seq < mark.seq) return [{ file, line: reading.seq + 1, detail: cutDetail(mark) }];
    if (reading.events[mark.seq - 1]?.hash === mark.head) return [];
    return [{ file, line: mark.seq, detail: "the line is not the one that was read before" }];
  });
}

/**
 * Compares the rows of a run with those that its journals lead to, as far as the journals were read when the rows were written. Returns the first
 * difference as a clause; undefined if there is none. The journals must be without fault.
 */
export function rowsProblem(
  db: Database,
  run: string,
  marks: readonly Watermark[],
  readings: readonly JournalReading[],
): string | undefined {
  const seen = new Map(marks.map(({ writer, seq }) => [writer, seq]));
  const fold = foldRun(mergeEvents(readings).filter((event) => event.seq <= (seen.get(event.writer) ?? 0)));
  try {
    const difference =
      differenceOf(fold, loadFold(db, run)) ??
      (fold === undefined ? undefined : differenceOf(comparable(rowsOfFold(fold)), comparable(derivedRows(db, run))));
    if (difference === undefined) return undefined;
    return `the rows of run ${run} are not what its journals add up to${difference === "" ? "" : `: ${difference}`}`;
  } catch (error) {
    if (error instanceof Error) return `the rows of run ${run} cannot be read: ${error.message}`;
    throw error;
  }
}

/** The rows that are derived from a fold, without its text: the order of its members can differ. */
function comparable({ runs, ...others }: ReturnType<typeof rowsOfFold>): unknown {
  const parsed = runs.map(({ fold, digest, summary, ...row }) => ({
    ...row,
    summary: JSON.parse(String(summary)),
    digest: digest === digestOfBytes(String(fold)),
  }));
  return { runs: parsed, ...others };
}

/** Where two values differ first, as a path (`steps.0.status`); nothing where they are equal. */
function differenceOf(a: unknown, b: unknown): string | undefined {
  if (canonicalJson(a) === canonicalJson(b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return "";
  const [left, right] = [a, b] as readonly Readonly<Record<string, unknown>>[];
  for (const key of Object.keys({ ...left, ...right })) {
    const inside = differenceOf(left?.[key], right?.[key]);
    if (inside !== undefined) return inside === "" ? key : `${key}.${inside}`;
  }
  return "";
}

/** A failure of reading, as a finding. */
export function findingOf(failure: Failure, file: string): Finding {
  if (failure.reason === "state-damaged" || failure.reason === "state-unreadable") {
    const line = "line" in failure && failure.line !== undefined ? { line: failure.line } : {};
    return { file: failure.path, ...line, detail: failure.detail };
  }
  return { file, detail: failure.reason };
}
