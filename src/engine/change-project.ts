/** Stores changesets, and applies them to the project. Only one process changes a project at a time. */
import path from "node:path";
import { applyChangeset, matchesBefore } from "../changeset/apply-changes.ts";
import { countsOf, encodeChangeset } from "../changeset/combine-changes.ts";
import { mergeFilesWith } from "../changeset/merge-files.ts";
import { readChangeset } from "../changeset/read-changeset.ts";
import type { Changeset } from "../core/changeset.ts";
import type { ChangesRef } from "../core/event.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { ChangesPort } from "../executor/context.ts";
import { systemClock } from "../platform/clock.ts";
import { stateUnwritable } from "../platform/files.ts";
import { waitForLock } from "../store/lock-file.ts";
import type { RunStore } from "./open-project.ts";

/** How long this process waits for another one that changes the project, in milliseconds. */
const lockTimeoutMs = 30_000;

/**
 * The port for the changes of a run. `rollback` leads from the current project to the base of the run; `rollsBackOwn`:
 * it reverts changes of the same run.
 */
export function changesPort(store: RunStore, root: string, rollback: Changeset, rollsBackOwn: boolean): ChangesPort {
  const { blobs } = store;
  const read = new Map<string, ReturnType<ChangesPort["read"]>>();
  return {
    rollback,
    rollsBackOwn,
    read: (digest) => {
      const known = read.get(digest) ?? readChangeset(blobs, digest);
      read.set(digest, known);
      return known;
    },
    keep: (changes) => keepChanges(store, changes),
    mergeFiles: mergeFilesWith(blobs),
    matchesDisk: (changes) => matchesBefore({ root, changes }),
    hasAllBlobs: async (changes) => {
      for (const { after } of changes) {
        if (after !== undefined && "digest" in after && !(await blobs.pathOf(after.digest)).ok) return false;
      }
      return true;
    },
    apply: (changes) => applyToProject(store, root, changes, "restore them (or move your own changes away), then run `wave resume`"),
  };
}

/** Stores a changeset, and returns the reference that events contain. */
export async function keepChanges({ blobs }: RunStore, changes: Changeset): Promise<Result<ChangesRef>> {
  const stored = await blobs.put(encodeChangeset(changes));
  return stored.ok ? ok({ digest: stored.value.digest, ...countsOf(changes) }) : stored;
}

/**
 * Applies changes to the project, under its lock. Fails with `project-changed`, without writing, if files are not in the states before
 * the changes (`hint` tells the user what to do), and with `state-locked` after the lock timeout. Safe to repeat after an interruption.
 * `beforeWrite` is called before the first write, if there is one.
 */
export async function applyToProject(
  { blobs, stateDir }: RunStore,
  root: string,
  changes: Changeset,
  hint: string,
  beforeWrite: () => Promise<Result<unknown>> = async () => ok(undefined),
): Promise<Result<void>> {
  if (changes.length === 0) return ok(undefined);
  const file = path.join(stateDir, "locks", "project");
  const lock = await waitForLock(file, systemClock, lockTimeoutMs);
  if (!lock.ok) {
    if (lock.error.kind === "refused") return err(stateUnwritable(file, lock.error.problem));
    return err({ reason: "state-locked", path: file, holder: `process ${lock.error.holder.pid} on ${lock.error.holder.host}` });
  }
  try {
    const applied = await applyChangeset({ root, changes, blobs, beforeWrite });
    if (!applied.ok) return applied;
    if (applied.value.kind === "applied") return ok(undefined);
    return err({ reason: "project-changed", paths: applied.value.paths.map(({ path: name }) => name), hint });
  } finally {
    await lock.value.release();
  }
}
