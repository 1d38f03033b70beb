/**
 * Removes directories of attempts whose process died. Mounts exist only in a child's own namespace, so directories are all
 * that can remain. Directories of failed attempts are kept for inspection and have a marker.
 */
import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { removeTree } from "../changeset/remove-tree.ts";
import { describeIoError } from "../platform/files.ts";
import { isAlive, type ProcessIdentity } from "../platform/process-identity.ts";
import { keptMarker } from "./attempt-dirs.ts";
import { disarmRepositories } from "./disarm-repositories.ts";

/**
 * Marks an attempt's directory as kept, after making its repositories safe. Errors are ignored: without the marker, the
 * next run removes the directory.
 */
export async function markKept(directory: string): Promise<void> {
  try {
    await disarmRepositories(directory);
    writeFileSync(path.join(directory, keptMarker), "");
  } catch (error) {
    describeIoError(error);
  }
}

/** Removes an attempt's directory, and the run's if it is then empty. */
export async function removeAttemptDir(directory: string): Promise<void> {
  await removeTree(directory);
  try {
    rmdirSync(path.dirname(directory));
  } catch {
    // It contains other attempts.
  }
}

/** Removes leftovers of dead processes in the workspaces of all runs except `run`, which this process holds. */
export async function removeOrphans(stateDir: string, run: string): Promise<void> {
  const workspaces = path.join(stateDir, "workspaces");
  for (const other of namesIn(workspaces)) {
    if (other === run || isHeld(stateDir, other)) continue;
    const attempts = namesIn(path.join(workspaces, other));
    for (const attempt of attempts) {
      const directory = path.join(workspaces, other, attempt);
      if (isAttemptDirectory(directory) && !existsSync(path.join(directory, keptMarker))) await removeTree(directory);
    }
    if (namesIn(path.join(workspaces, other)).length === 0) await removeTree(path.join(workspaces, other));
  }
}

/** Attempts that ran in place leave directories of another kind, which contain only their output. */
function isAttemptDirectory(directory: string): boolean {
  return existsSync(path.join(directory, "home"));
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Whether a live process executes a run: its lock names the process. */
function isHeld(stateDir: string, run: string): boolean {
  try {
    return isAlive(JSON.parse(readFileSync(path.join(stateDir, "locks", `run-${run}`), "utf8")) as ProcessIdentity);
  } catch {
    return false;
  }
}
