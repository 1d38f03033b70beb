/** The ignored files that decide whether a step's result is reused, as views with keys. Pure. */

import { pathPattern } from "../text/glob.ts";
import { canonicalJson, type Digest } from "./digest.ts";
import type { BaseRef } from "./event.ts";
import { readFilter, viewKey } from "./permissions.ts";
import type { Step } from "./pipeline.ts";

type Viewer = Pick<Step, "permissions" | "reuseIgnore">;

/** Step → a filter for the files that it can read; for its contracts, all files. */
export function ignoredViews(steps: readonly Viewer[]): ReadonlyMap<string, (path: string) => boolean> {
  const views = new Map<string, (path: string) => boolean>();
  for (const step of steps) {
    const excluded = step.reuseIgnore.map(pathPattern);
    const counts = (path: string) => !excluded.some((matches) => matches(path));
    const mayRead = readFilter(step.permissions);
    const { work, contracts } = keysOf(step);
    views.set(work, (path) => mayRead(path) && counts(path));
    views.set(contracts, counts);
  }
  return views;
}

/** The digests for one step. Undefined if the ignored files of the base are unknown. */
export function ignoredFor(step: Viewer, { ignored }: Pick<BaseRef, "ignored">): { work: Digest; contracts: Digest } | undefined {
  const keys = keysOf(step);
  const work = ignored?.[keys.work];
  const contracts = ignored?.[keys.contracts];
  return work === undefined || contracts === undefined ? undefined : { work, contracts };
}

function keysOf(step: Viewer): { work: string; contracts: string } {
  const suffix = step.reuseIgnore.length === 0 ? "" : ` without ${canonicalJson([...new Set(step.reuseIgnore)].sort())}`;
  return { work: `${viewKey(step)}${suffix}`, contracts: `contracts${suffix}` };
}
