/** Rebuilds a store's database from its journals. */
import type { Result } from "../core/result.ts";
import { systemClock } from "../platform/clock.ts";
import { type Rebuilt, rebuildState } from "../store/rebuild-state.ts";
import type { RunStore } from "./open-project.ts";

export function rebuildStore({ stateDir }: Pick<RunStore, "stateDir">): Promise<Result<Rebuilt>> {
  return rebuildState(stateDir, systemClock);
}
