/**
 * The end of a run whose steps all passed: merges their changes and, if `apply` is set, applies them to the project. A run that died
 * here repeats it when it is resumed: applying twice changes nothing. Earlier changes of the same run are replaced, even by none.
 */
import { compose } from "../changeset/combine-changes.ts";
import type { Failure } from "../core/failure.ts";
import type { RunState } from "./run-state.ts";

export interface AppliedChanges {
  /** `merge-conflict`, `project-changed`, or a failure of state or disk. */
  readonly failure?: Failure;
  /** Whether changes may have been written to the project. */
  readonly wroteProject: boolean;
}

export async function mergeAndApply(run: RunState): Promise<AppliedChanges> {
  const port = run.context.services.changes;
  const { apply } = run.context.run.options;
  const replaces = port.rollsBackOwn === true && port.rollback.length > 0;
  if (run.changes.isEmpty && !replaces) return { wroteProject: false };
  const merged = await run.changes.mergeAll();
  if (!merged.ok) return { failure: merged.error, wroteProject: false };
  if (merged.value.length === 0 && !replaces) return { wroteProject: false };
  const stored = await port.keep(merged.value);
  if (!stored.ok) return { failure: stored.error, wroteProject: false };
  const changes = stored.value;
  if (!(await run.append([{ type: "changes-merged", changes, apply }]))) return fatal(run, false);
  if (!apply) return { wroteProject: false };
  const applied = await port.apply(compose(port.rollback, merged.value));
  if (!applied.ok) return { failure: applied.error, wroteProject: true };
  return (await run.append([{ type: "changes-applied", changes }])) ? { wroteProject: true } : fatal(run, true);
}

function fatal({ fatalError }: RunState, wroteProject: boolean): AppliedChanges {
  return fatalError === undefined ? { wroteProject } : { failure: fatalError, wroteProject };
}
