/**
 * The end of a run whose steps all passed: what they changed is merged, announced and, if the run is to, applied to the
 * project. A run that is resumed after it died here does it again: applying twice changes nothing. What the project has of this
 * very run from before is replaced, also where nothing replaces it.
 */
import { compose } from "../changeset/combine-changes.ts";
import type { Failure } from "../core/failure.ts";
import { changesOfRun } from "./changes.ts";
import { appendAndNotify, type Run } from "./run-state.ts";

/** Gives why the run did not come to its end after all: `merge-conflict`, `project-changed`, or what state or the disk refused. */
export async function mergeAndApply(run: Run): Promise<Failure | undefined> {
  const { changes: port, options } = run.context;
  const replaces = port.rollsBackOwn === true && port.rollback.length > 0;
  if (run.changes.size === 0 && !replaces) return undefined;
  const merged = await changesOfRun(run);
  if (!merged.ok) return merged.error;
  if (merged.value.length === 0 && !replaces) return undefined;
  const kept = await port.keep(merged.value);
  if (!kept.ok) return kept.error;
  const changes = kept.value;
  if (!(await appendAndNotify(run, [{ type: "changes-merged", changes, apply: options.apply }]))) return run.lost;
  if (!options.apply) return undefined;
  run.written = true;
  const applied = await port.apply(compose(port.rollback, merged.value));
  if (!applied.ok) return applied.error;
  return (await appendAndNotify(run, [{ type: "changes-applied", changes }])) ? undefined : run.lost;
}
