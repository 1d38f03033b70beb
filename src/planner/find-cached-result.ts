/** Whether work that passed before can stand for the work a step would do now. Pure; nothing here checks that blobs still exist. */
import type { Digest } from "../core/digest.ts";
import type { FingerprintRef } from "../core/event.ts";
import { isGatePart } from "../core/fingerprint-parts.ts";
import type { Step } from "../core/pipeline.ts";
import type { CachedResult } from "../core/state.ts";

/** What was found. `since` is the last time that the step passed, and `changed` is empty when it never did; `tree` in it means that the work's run changed the project in place and the project is no longer as it left it. */
export type WorkMatch =
  | { readonly kind: "equal"; readonly cached: CachedResult }
  | { readonly kind: "recheck"; readonly cached: CachedResult }
  | { readonly kind: "new"; readonly changed: readonly string[]; readonly since?: Pick<CachedResult, "run" | "attempt" | "finishedAt"> };

/**
 * Looks for passed work of this step, newest first, as `passed` comes. Work counts only if its run left the project's tree as it
 * was, or the project is now as that run left it (`currentTree`); work done in a workspace of its own changed no tree, and always counts. Equal work under equal gates wins over equal work under other gates.
 */
export function findCachedResult(step: Step, fingerprint: FingerprintRef, passed: readonly CachedResult[], currentTree: Digest): WorkMatch {
  const own = passed.filter((work) => work.step === step.id);
  const equal = own.filter((work) => work.fingerprint.work === fingerprint.work && counts(work, currentTree));
  const found = equal.find((work) => work.fingerprint.gate === fingerprint.gate);
  if (found !== undefined) return { kind: "equal", cached: found };
  const [recheck] = equal;
  if (recheck !== undefined) return { kind: "recheck", cached: recheck };
  const [newest] = own;
  if (newest === undefined) return { kind: "new", changed: [] };
  const { run, attempt, finishedAt } = newest;
  return { kind: "new", changed: changedParts(fingerprint, newest), since: { run, attempt, finishedAt } };
}

function counts(work: CachedResult, currentTree: Digest): boolean {
  if (work.workspace === "isolated") return true;
  return work.treeAfter !== undefined && (work.treeAfter === work.treeBefore || work.treeAfter === currentTree);
}

function changedParts(now: FingerprintRef, before: CachedResult): string[] {
  const names = new Set([...Object.keys(now.parts), ...Object.keys(before.fingerprint.parts)]);
  const changed = [...names].filter((name) => !isGatePart(name) && now.parts[name] !== before.fingerprint.parts[name]).sort();
  return changed.length === 0 ? ["tree"] : changed;
}
