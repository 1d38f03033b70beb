/** Runs with their events, as traces and lineage ask for them: each is read once. */
import { ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import type { ReadonlyRunStore } from "../engine/open-project.ts";
import type { KnownRun } from "../telemetry/lineage/lineage.ts";

export interface KnownRuns {
  /** A record's events; none when its journals are gone. */
  readonly complete: (record: RunRecord) => Promise<Result<KnownRun>>;
  /** A run by its whole id; nothing when state has it no more. */
  readonly find: (id: string) => Promise<Result<KnownRun | undefined>>;
}

/** Reads runs from a store, and remembers them. */
export function knownRuns(state: ReadonlyRunStore["state"]): KnownRuns {
  const known = new Map<string, KnownRun>();
  const complete = async (record: RunRecord): Promise<Result<KnownRun>> => {
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
      // What begins like a run that is gone is another run.
      return record.value.id === id ? complete(record.value) : ok(undefined);
    },
  };
}
