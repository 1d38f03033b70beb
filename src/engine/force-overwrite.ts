/** `--force`: lets changes overwrite files that were modified since. Writes nothing itself. */

import { entryOf } from "../changeset/combine-changes.ts";
import { lstatAt } from "../changeset/disk.ts";
import { readEntry } from "../changeset/read-entry.ts";
import type { Changeset, ChangesetEntry, FileState } from "../core/changeset.ts";
import { err, ok, type Result } from "../core/result.ts";
import { kindOf } from "../platform/walk.ts";

/**
 * Returns the changes with the current files at `paths` as their states before. Only files, symbolic links and missing paths can be
 * overwritten: fails with `project-changed` for directories, and for paths that the changes do not contain.
 */
export async function rebaseOntoDisk(root: string, changes: Changeset, paths: readonly string[]): Promise<Result<Changeset>> {
  const modified = new Set(paths);
  const named = new Set(changes.map(({ path }) => path));
  const refused = paths.filter((path) => !named.has(path) || isFilled(root, path));
  if (refused.length > 0) {
    return err({ reason: "project-changed", paths: refused, hint: "`--force` overwrites files, but not these; move them away first" });
  }
  const entries: ChangesetEntry[] = [];
  for (const entry of changes) {
    if (!modified.has(entry.path)) {
      entries.push(entry);
      continue;
    }
    const now = await stateNow(root, entry.path);
    if (!now.ok) return now;
    const changed = entryOf(entry.path, now.value, entry.after);
    if (changed !== undefined) entries.push(changed);
  }
  return ok(entries);
}

function isFilled(root: string, path: string): boolean {
  const stats = lstatAt(root, path);
  return stats !== undefined && kindOf(stats) !== "file" && kindOf(stats) !== "symlink";
}

async function stateNow(root: string, path: string): Promise<Result<FileState | undefined>> {
  const stats = lstatAt(root, path);
  if (stats === undefined) return ok(undefined);
  const content = await readEntry(root, path, stats, Number.POSITIVE_INFINITY);
  return content.ok ? ok(content.value.state) : content;
}
