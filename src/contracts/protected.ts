/** What `protect` restores in the tree of a contract: files as the trusted source has them. */
import { parentsOf } from "../changeset/combine-changes.ts";
import type { ContractContext, TreeEntry } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { pathPattern } from "../text/glob.ts";

type Restored = ReadonlyMap<string, TreeEntry | undefined>;

/**
 * Every file that matches one of the globs, by path, as the trusted source has it; undefined for a file that only the workspace has, which is to be
 * removed. Fails as the trusted source and the workspace do.
 */
export async function restoredFiles(
  { trustedFiles, workspace }: Pick<ContractContext, "trustedFiles" | "workspace">,
  globs: readonly string[],
): Promise<Result<Restored>> {
  if (globs.length === 0) return ok(new Map());
  if (trustedFiles === undefined) {
    return err({ reason: "workspace-failed", code: "ENOENT", detail: "the base of the run is not known" });
  }
  const patterns = globs.map(pathPattern);
  const listed = await trustedFiles.list((file) => patterns.some((matches) => matches(file)));
  if (!listed.ok) return listed;
  const restored = new Map<string, TreeEntry | undefined>();
  for (const glob of globs) {
    const found = await workspace.list("root", glob);
    if (!found.ok) return found;
    for (const { path, kind } of found.value) if (kind !== "directory") restored.set(path, undefined);
  }
  // A link in place of a directory would lead a protected path elsewhere.
  const parents = [...new Set(listed.value.flatMap(({ path }) => parentsOf(path)))];
  const inTheWay = parents.length === 0 ? ok([]) : await workspace.list("root", anyOf(parents));
  if (!inTheWay.ok) return inTheWay;
  for (const { path, kind } of inTheWay.value) if (kind !== "directory") restored.set(path, undefined);
  for (const { path } of listed.value) {
    const leaf = await trustedFiles.read(path);
    if (!leaf.ok) return leaf;
    restored.set(path, leaf.value);
  }
  return ok(restored);
}

/** A glob that matches exactly these paths. */
function anyOf(paths: readonly string[]): string {
  const literal = paths.map((path) => path.replace(/[\\*?[\]{}(),!]/g, "\\$&"));
  return literal.length === 1 ? (literal[0] ?? "") : `{${literal.join(",")}}`;
}
