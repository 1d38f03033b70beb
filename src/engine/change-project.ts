/**
 * The last chapter of the spine: how what steps changed is kept, and how it reaches the project and leaves it again. One process
 * changes a project at a time.
 */
import path from "node:path";
import { applyChangeset, holds } from "../changeset/apply-changes.ts";
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

/** How long another process may change the project before this one gives up, in milliseconds. */
const patienceMs = 30_000;

/** The port through which a run's changes go. `rollback` leads from the project as it is to the base of the run; `rollsBackOwn`: over changes of its own. */
export function changesPort(store: RunStore, root: string, rollback: Changeset, rollsBackOwn: boolean): ChangesPort {
  const { blobs } = store;
  const read = new Map<string, ReturnType<ChangesPort["read"]>>();
  return {
    rollback,
    rollsBackOwn: rollsBackOwn,
    read: (digest) => {
      const known = read.get(digest) ?? readChangeset(blobs, digest);
      read.set(digest, known);
      return known;
    },
    keep: (changes) => keepChanges(store, changes),
    mergeFiles: mergeFilesWith(blobs),
    matchesDisk: (changes) => holds({ root, changes }),
    hasAllBlobs: async (changes) => {
      for (const { after } of changes) {
        if (after !== undefined && "digest" in after && !(await blobs.pathOf(after.digest)).ok) return false;
      }
      return true;
    },
    apply: (changes) => applyToProject(store, root, changes, "put them back (or move your own changes away), then `wave resume`"),
  };
}

/** Stores a changeset, and gives what events say of it. */
export async function keepChanges({ blobs }: RunStore, changes: Changeset): Promise<Result<ChangesRef>> {
  const stored = await blobs.put(encodeChangeset(changes));
  return stored.ok ? ok({ digest: stored.value.digest, ...countsOf(changes) }) : stored;
}

/**
 * Changes the project, under its lock. Fails with `project-changed`, naming the files that are not as they were and saying `hint`,
 * and then changes nothing; with `state-locked` when another process is at it for too long. Interrupted, it can be done again. `beforeWrite` is called before the first write, if there is one.
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
  const lock = await waitForLock(file, systemClock, patienceMs);
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
