/** Finds paths that a later run wrote with the same content: rolling back the older run would remove the later one's files. */

import { sameState } from "../changeset/combine-changes.ts";
import { readChangeset } from "../changeset/read-changeset.ts";
import type { Changeset } from "../core/changeset.ts";
import { ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import type { RunStore } from "./open-project.ts";

/** A later run, and the paths that it wrote too. */
export interface LaterClaim {
  readonly run: string;
  readonly paths: readonly string[];
}

/**
 * Finds the runs that started after `run`, whose changes are in the project, and that wrote content which `changes` would replace. Ignores runs
 * whose changeset is no longer in state. Fails as reading state does.
 */
export async function laterClaims({ state, blobs }: RunStore, run: RunRecord, changes: Changeset): Promise<Result<readonly LaterClaim[]>> {
  if (changes.length === 0) return ok([]);
  const listed = await state.listRuns();
  if (!listed.ok) return listed;
  const own = listed.value.findIndex(({ id }) => id === run.id);
  const claims: LaterClaim[] = [];
  for (const { id } of listed.value.slice(0, Math.max(0, own))) {
    const later = await state.findRun(id);
    if (!later.ok) return later;
    if (later.value.inProject === undefined) continue;
    const read = await readChangeset(blobs, later.value.inProject.digest);
    if (!read.ok) continue;
    const written = new Map(read.value.map(({ path, after }) => [path, after]));
    const paths = changes.filter(({ path, before }) => written.has(path) && sameState(written.get(path), before)).map(({ path }) => path);
    if (paths.length > 0) claims.push({ run: id, paths });
  }
  return ok(claims);
}
