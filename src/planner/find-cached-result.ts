/** Finds a cached result that a step can reuse. Pure; does not check that blobs still exist. */
import type { Digest } from "../core/digest.ts";
import type { FingerprintRef } from "../core/event.ts";
import { isContractPart } from "../core/fingerprint-parts.ts";
import type { Step } from "../core/pipeline.ts";
import type { CachedResult } from "../core/state.ts";

/**
 * The result of the search. `recheck`: only the contracts changed. `since`: the last time that the step passed. `changed`: the
 * fingerprint parts that changed since then, empty if it never passed; `tree` means that its run changed the project in
 * place, and the project has changed since.
 */
export type CachedResultMatch =
  | { readonly kind: "equal"; readonly cached: CachedResult }
  | { readonly kind: "recheck"; readonly cached: CachedResult }
  | { readonly kind: "new"; readonly changed: readonly string[]; readonly since?: Pick<CachedResult, "run" | "attempt" | "finishedAt"> };

/**
 * Searches `passed`, newest first, for a result of this step with the same work fingerprint. A result counts only if it comes
 * from an isolated workspace, or if its run did not change the project's tree, or left it in the current state
 * (`currentTree`). Prefers a result with the same contract fingerprint.
 */
export function findCachedResult(
  step: Step,
  fingerprint: FingerprintRef,
  passed: readonly CachedResult[],
  currentTree: Digest,
): CachedResultMatch {
  const own = passed.filter((result) => result.step === step.id);
  const equal = own.filter((result) => result.fingerprint.work === fingerprint.work && isUsable(result, currentTree));
  const cached = equal.find((result) => result.fingerprint.gate === fingerprint.gate);
  if (cached !== undefined) return { kind: "equal", cached };
  const [recheck] = equal;
  if (recheck !== undefined) return { kind: "recheck", cached: recheck };
  const [newest] = own;
  if (newest === undefined) return { kind: "new", changed: [] };
  const { run, attempt, finishedAt } = newest;
  return { kind: "new", changed: changedParts(fingerprint, newest), since: { run, attempt, finishedAt } };
}

function isUsable({ workspace, treeBefore, treeAfter }: CachedResult, currentTree: Digest): boolean {
  if (workspace === "isolated") return true;
  return treeAfter !== undefined && (treeAfter === treeBefore || treeAfter === currentTree);
}

function changedParts(now: FingerprintRef, before: CachedResult): string[] {
  const names = new Set([...Object.keys(now.parts), ...Object.keys(before.fingerprint.parts)]);
  const changed = [...names].filter((name) => !isContractPart(name) && now.parts[name] !== before.fingerprint.parts[name]).sort();
  return changed.length === 0 ? ["tree"] : changed;
}
