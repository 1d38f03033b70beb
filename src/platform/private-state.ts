/**
 * Restricts state to its owner, because it contains changed files regardless of their modes, and the output of steps. Restricts the
 * directories below, not the state directory itself, so that steps of another user can reach their workspaces. Each attempt's workspace is
 * restricted separately.
 */
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import path from "node:path";

const directories = ["blobs", "journals", "logs", "trash", "cache"] as const;
const created = ["blobs", "journals", "logs"] as const;
const files = ["wave.db", "wave.db.damaged", "run-index.json", "higher-runs.json", "base-index.json", "ignored-index.json"] as const;

/** Creates the restricted directories in an existing state directory. Throws the file system's errors. */
export function makeClosedDirectories(stateDir: string): void {
  for (const name of created) mkdirSync(path.join(stateDir, name), { recursive: true, mode: 0o700 });
}

/** Restricts files and directories of an older version that this user owns. Ignores errors of the file system. */
export function closeExistingState(stateDir: string): void {
  const uid = process.getuid?.();
  if (uid === undefined) return;
  for (const name of directories) restrict(path.join(stateDir, name), uid, 0o700);
  for (const name of files) restrict(path.join(stateDir, name), uid, 0o600);
}

/** Changes a path's mode, but never that of a link's target, which does not belong to Wave. */
function restrict(place: string, uid: number, mode: number): void {
  try {
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats === undefined || stats.uid !== uid || (stats.mode & 0o077) === 0) return;
    if (mode === 0o700 ? stats.isDirectory() : stats.isFile()) chmodSync(place, mode);
  } catch {
    // The file system refused, for example because it is read-only.
  }
}
