/** Restores the files of a contract's `protect` from the trusted source. */
import { parentsOf } from "../changeset/combine-changes.ts";
import type { ContractContext, TreeEntry } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { pathPattern } from "../text/glob.ts";

type Restored = ReadonlyMap<string, TreeEntry | undefined>;

/**
 * The files to restore: path → content in the trusted source; undefined for a matching file that exists only in the
 * workspace and must be removed. Fails as the trusted source and the workspace do.
 */
export async function restoredFiles(
  { trustedFiles, workspace }: Pick<ContractContext, "trustedFiles" | "workspace">,
  globs: readonly string[],
): Promise<Result<Restored>> {
  if (globs.length === 0) return ok(new Map());
  if (trustedFiles === undefined) {
    return workspaceFailed("ENOENT", "the base commit of the run is unknown");
  }
  const patterns = globs.map(pathPattern);
  const listed = await trustedFiles.list((file) => patterns.some((matches) => matches(file)));
  if (!listed.ok) return listed;
  const restored = new Map<string, TreeEntry | undefined>();
  for (const glob of globs) {
    const present = await workspace.list("root", glob);
    if (!present.ok) return present;
    for (const { path, kind } of present.value) if (kind !== "directory") restored.set(path, undefined);
  }
  // A symbolic link instead of a directory would redirect a protected path.
  const parents = [...new Set(listed.value.flatMap(({ path }) => parentsOf(path)))];
  const obstacles = parents.length === 0 ? ok([]) : await workspace.list("root", anyOf(parents));
  if (!obstacles.ok) return obstacles;
  for (const { path, kind } of obstacles.value) if (kind !== "directory") restored.set(path, undefined);
  for (const { path } of listed.value) {
    const entry = await trustedFiles.read(path);
    if (!entry.ok) return entry;
    restored.set(path, entry.value);
  }
  return ok(restored);
}

/** A glob that matches exactly these paths. */
function anyOf(paths: readonly string[]): string {
  const literal = paths.map((path) => path.replace(/[\\*?[\]{}(),!]/g, "\\$&"));
  return literal.length === 1 ? (literal[0] ?? "") : `{${literal.join(",")}}`;
}
