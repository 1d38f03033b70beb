/**
 * Verifies journals: each one is read, even if another is damaged. A journal by itself only proves its chain of hashes;
 * the tables add how far it once reached, and the fold of its events.
 */
import type { Database } from "sql.js";
import { canonicalJson, digestOfBytes } from "../core/digest.ts";
import type { Failure } from "../core/failure.ts";
import { ok, type Result } from "../core/result.ts";
import { foldRun } from "./fold-run.ts";
import { cutDetail, type JournalReading, journalFile, listWriters, mergeEvents, readJournal } from "./read-journal.ts";
import { derivedRows, loadFold, rowsOfFold } from "./run-rows.ts";
import type { Watermark } from "./watermark.ts";

/** A deviation from what Wave wrote, and its location. `line` counts from 1. */
export interface Finding {
  readonly file: string;
  readonly line?: number;
  readonly detail: string;
}

export interface RunCheck {
  readonly readings: readonly JournalReading[];
  readonly findings: readonly Finding[];
}

/**
 * Reads all journals of a run and compares them with their recorded positions. Fails if the run's directory cannot be
 * listed.
 */
export async function checkRun(stateDir: string, run: string, marks: readonly Watermark[]): Promise<Result<RunCheck>> {
  const writers = await listWriters(stateDir, run);
  if (!writers.ok) return writers;
  // A cleanup removes all journals at once; the tables record whether it did.
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
    return [{ file, line: mark.seq, detail: "the line differs from the one that was read before" }];
  });
}

/**
 * Compares the rows of a run with the fold of its journals, up to the positions at which the rows were written. Returns
 * the first difference as a clause; undefined if there is none. The journals must be intact.
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
    return `the rows of run ${run} do not match its journals${difference === "" ? "" : `: ${difference}`}`;
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

/** The path of the first difference between two values (`steps.0.status`); undefined if they are equal. */
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

/** A read failure as a finding. */
export function findingOf(failure: Failure, file: string): Finding {
  if (failure.reason === "state-damaged" || failure.reason === "state-unreadable") {
    const line = "line" in failure && failure.line !== undefined ? { line: failure.line } : {};
    return { file: failure.path, ...line, detail: failure.detail };
  }
  return { file, detail: failure.reason };
}
