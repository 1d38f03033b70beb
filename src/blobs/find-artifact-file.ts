/** Finds an artifact's file in a workspace. It does not read files or handle final messages. */
import type { StepArtifact } from "../core/pipeline.ts";
import type { Workspace, WorkspaceArea, WorkspaceEntry } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";

/** The file of an artifact. `source` is the path shown in reports. */
export interface ArtifactFile {
  readonly area: WorkspaceArea;
  readonly path: string;
  readonly source: string;
}

/**
 * With a `path`: the file in the workspace that matches the glob. Without one: `NAME` in the output directory, or the file `NAME.*`
 * that is not another artifact of the step. Undefined if there is none; fails with `artifact-ambiguous` if several match. Ignores
 * directories. Symlinks are checked when the file is read.
 */
export async function findArtifactFile(
  workspace: Workspace,
  artifact: StepArtifact,
  others: ReadonlySet<string>,
): Promise<Result<ArtifactFile | undefined>> {
  const { name, path } = artifact;
  const area = path === undefined ? "output" : "root";
  const listed = await workspace.list(area, path ?? `{${name},${name}.*}`);
  if (!listed.ok) return listed.error.reason === "artifact-refused" ? err({ ...listed.error, artifact: name }) : listed;
  const candidates = candidatesOf(listed.value, artifact, others);
  const [found] = candidates;
  if (found === undefined) return ok(undefined);
  const source = (entry: WorkspaceEntry) => (area === "root" ? entry.path : `output/${entry.path}`);
  if (candidates.length > 1) return err({ reason: "artifact-ambiguous", artifact: name, matches: candidates.map(source) });
  return ok({ area, path: found.path, source: source(found) });
}

function candidatesOf(
  entries: readonly WorkspaceEntry[],
  { name, path }: StepArtifact,
  others: ReadonlySet<string>,
): readonly WorkspaceEntry[] {
  const files = entries.filter((entry) => entry.kind !== "directory");
  if (path !== undefined) return files;
  const exact = files.filter((entry) => entry.path === name);
  return exact.length > 0 ? exact : files.filter((entry) => entry.path.startsWith(`${name}.`) && !others.has(entry.path));
}
