/** Reads runs with their events, each once, for traces and lineage. */
import { ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import type { ReadonlyRunStore } from "../engine/open-project.ts";
import type { RunWithEvents } from "../telemetry/lineage/lineage.ts";

export interface KnownRuns {
  /** Adds a record's events; none if its journals were removed. */
  readonly complete: (record: RunRecord) => Promise<Result<RunWithEvents>>;
  /** Finds a run by its whole id. Undefined if the store does not have it. */
  readonly find: (id: string) => Promise<Result<RunWithEvents | undefined>>;
}

export function knownRuns(state: ReadonlyRunStore["state"]): KnownRuns {
  const known = new Map<string, RunWithEvents>();
  const complete = async (record: RunRecord): Promise<Result<RunWithEvents>> => {
    const before = known.get(record.id);
    if (before !== undefined) return ok(before);
    const events = await state.readEvents(record.id);
    if (!events.ok && events.error.reason !== "run-not-found") return events;
    const run = { record, events: events.ok ? events.value : [] };
    known.set(record.id, run);
    return ok(run);
  };
  return {
    complete,
    find: async (id) => {
      const before = known.get(id);
      if (before !== undefined) return ok(before);
      const record = await state.findRun(id);
      if (!record.ok) return record.error.reason === "run-not-found" ? ok(undefined) : record;
      // The id of a removed run can be a prefix of another run's.
      return record.value.id === id ? complete(record.value) : ok(undefined);
    },
  };
}
