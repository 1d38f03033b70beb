/**
 * State is closed to other users: it holds the bytes of changed files, whatever their modes, and what steps print. The directories below decide, so that
 * steps of another user still reach their workspaces, whose attempts are closed one by one.
 */
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import path from "node:path";

const directories = ["blobs", "journals", "logs", "trash", "cache"] as const;
const made = ["blobs", "journals", "logs"] as const;
const files = ["wave.db", "wave.db.damaged", "run-index.json", "higher-runs.json", "base-index.json", "ignored-index.json"] as const;

/** Creates the closed directories of an existing state directory. Throws the file system's errors. */
export function makeClosedDirectories(stateDir: string): void {
  for (const name of made) mkdirSync(path.join(stateDir, name), { recursive: true, mode: 0o700 });
}

/** Closes what an older version made, if this user owns it. What the file system refuses stays as it is. */
export function closeExistingState(stateDir: string): void {
  const uid = process.getuid?.();
  if (uid === undefined) return;
  for (const name of directories) restrict(path.join(stateDir, name), uid, 0o700);
  for (const name of files) restrict(path.join(stateDir, name), uid, 0o600);
}

/** Never through a link: its target is not Wave's. */
function restrict(place: string, uid: number, mode: number): void {
  try {
    const found = lstatSync(place, { throwIfNoEntry: false });
    if (found === undefined || found.uid !== uid || (found.mode & 0o077) === 0) return;
    if (mode === 0o700 ? found.isDirectory() : found.isFile()) chmodSync(place, mode);
  } catch {
    // The file system refuses, for example since it is read-only.
  }
}
