/** Verifies the journals and the database, each by itself and against each other. */
import path from "node:path";
import type { Database } from "sql.js";
import type { WaveEvent } from "../core/event.ts";
import { ok, type Result } from "../core/result.ts";
import { journalsDirectory, listJournalRuns } from "./read-journal.ts";
import { readIndex } from "./run-index.ts";
import { archivedRuns, watermarksOf } from "./run-rows.ts";
import { checkDatabase } from "./verify-database.ts";
import { checkRun, type Finding, rowsProblem } from "./verify-journals.ts";

/** The findings, and how much was checked. */
export interface RecordsCheck {
  readonly findings: readonly Finding[];
  readonly runs: number;
  readonly archived: number;
  readonly events: number;
  readonly database: boolean;
}

/**
 * Reads everything, run by run; `onEvents` receives the events of each readable run. The database and the run index are
 * read first: journals only grow, so everything they record must still exist. Fails if something cannot be read at all.
 */
export async function checkRecords(
  stateDir: string,
  databaseFile: string,
  onEvents: (events: readonly WaveEvent[]) => void,
): Promise<Result<RecordsCheck>> {
  const index = await readIndex(stateDir);
  const database = await checkDatabase(databaseFile);
  if (!database.ok) return database;
  const { db, exists } = database.value;
  try {
    const journals = await checkJournals(stateDir, db, onEvents);
    if (!journals.ok) return journals;
    const { present, events } = journals.value;
    const known = new Map(db === undefined ? [] : archivedRuns(db));
    for (const { id, archived } of index?.summaries ?? []) if (!known.has(id)) known.set(id, archived);
    const absent = [...known].filter(([run]) => !present.has(run));
    const vanished = absent.filter(([, archived]) => !archived).map(([run]) => vanishedRun(stateDir, run));
    const wrong = journals.value.rows.map((detail) => ({ file: databaseFile, detail }));
    const findings = [...database.value.findings, ...wrong, ...journals.value.findings, ...vanished];
    return ok({ findings, runs: present.size, archived: absent.length - vanished.length, events, database: exists });
  } finally {
    db?.close();
  }
}

interface JournalsCheck {
  readonly findings: readonly Finding[];
  /** Problems of the tables' rows. */
  readonly rows: readonly string[];
  readonly present: ReadonlySet<string>;
  readonly events: number;
}

async function checkJournals(
  stateDir: string,
  db: Database | undefined,
  onEvents: (events: readonly WaveEvent[]) => void,
): Promise<Result<JournalsCheck>> {
  const runs = await listJournalRuns(stateDir);
  if (!runs.ok) return runs;
  const allMarks = db === undefined ? new Map() : watermarksOf(db);
  const findings: Finding[] = [];
  const rows: string[] = [];
  const present = new Set<string>();
  let events = 0;
  for (const run of runs.value) {
    const marks = allMarks.get(run) ?? [];
    const checked = await checkRun(stateDir, run, marks);
    if (!checked.ok) return checked;
    const { readings, findings: own } = checked.value;
    if (readings.length === 0 && own.length === 0) continue;
    present.add(run);
    findings.push(...own);
    for (const reading of readings) {
      events += reading.events.length;
      onEvents(reading.events);
    }
    const problem = db === undefined || own.length > 0 || marks.length === 0 ? undefined : rowsProblem(db, run, marks, readings);
    if (problem !== undefined) rows.push(problem);
  }
  return ok({ findings, rows, present, events });
}

function vanishedRun(stateDir: string, run: string): Finding {
  return { file: path.join(journalsDirectory(stateDir), run), detail: `the journals of run ${run} are gone, and no cleanup removed them` };
}
