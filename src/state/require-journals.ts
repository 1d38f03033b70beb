/** Whether a run can still be written to. */
import type { StateStore } from "../model/ports.ts";
import { err, ok, type Result } from "../model/result.ts";

/** Fails with `usage` for an archived run: a journal that does not begin with its start would hide what the database knows of it. */
export async function requireJournals(state: Pick<StateStore, "readEvents">, run: string): Promise<Result<void>> {
  const events = await state.readEvents(run);
  if (events.ok) return ok(undefined);
  if (events.error.reason !== "run-not-found") return events;
  return err({ reason: "usage", message: `run ${run} is archived: its journals are gone`, hint: "`wave run` starts another" });
}
