/** The artifacts and changes of a recorded run: lists, exports and verifies them, and writes changes as a patch. */
import {
  type DamagedArtifact,
  type ExportedArtifact,
  exportArtifacts,
  type ProducedArtifact,
  verifyArtifacts,
} from "../blobs/export-artifacts.ts";
import { readChangeset } from "../changeset/read-changeset.ts";
import type { Changeset } from "../core/changeset.ts";
import { err, ok, type Result } from "../core/result.ts";
import { locateProject, type ProjectRequest } from "./open-project.ts";
import type { OpenedRun } from "./open-run.ts";

/** Artifacts of the step, or of all steps. */
export function artifactsOf({ run, step }: OpenedRun): readonly ProducedArtifact[] {
  const steps = step === undefined ? run.steps : [step];
  return steps.flatMap(({ id, artifacts }) => artifacts.map((artifact) => ({ step: id, ...artifact })));
}

/** Returns the contents of an artifact of the step. Fails with `usage` for an unknown name, and as the store does. */
export async function readArtifact(opened: OpenedRun, name: string): Promise<Result<Uint8Array>> {
  const artifacts = artifactsOf(opened);
  const artifact = artifacts.find((candidate) => candidate.name === name);
  if (artifact !== undefined) return opened.store.blobs.get(artifact.digest);
  const names = artifacts.map((candidate) => `\`${candidate.name}\``).join(", ");
  return err({
    reason: "usage",
    message: `step \`${opened.step?.id}\` of run ${opened.run.id} has no artifact \`${name}\``,
    hint: names === "" ? "the step has no artifacts" : `artifacts of the step: ${names}`,
  });
}

/** Writes the artifacts below a directory. Fails with `usage` if a file exists with other content. */
export function exportRunArtifacts(opened: OpenedRun, directory: string): Promise<Result<readonly ExportedArtifact[]>> {
  return exportArtifacts(artifactsOf(opened), directory, opened.store.blobs);
}

/** Returns the artifacts whose bytes are missing or do not match their digests. */
export function verifyRunArtifacts(opened: OpenedRun): Promise<Result<readonly DamagedArtifact[]>> {
  return verifyArtifacts(artifactsOf(opened), opened.store.blobs);
}

/** The changes of the step, or of the run as a whole. Fails with `usage` if the run did not pass: its changes were not merged. */
export async function changesOf({ store: { blobs }, run, step }: OpenedRun): Promise<Result<Changeset>> {
  const ref = step === undefined ? run.changes : step.changes;
  if (ref !== undefined) return readChangeset(blobs, ref.digest);
  const some = run.steps.filter(({ changes }) => changes !== undefined).map(({ id }) => id);
  if (step !== undefined || some.length === 0) return ok([]);
  return err({
    reason: "usage",
    message: `run ${run.id} did not pass, so it has no merged changes`,
    hint: `name one of the steps that changed files: ${some.join(", ")}`,
  });
}

/** Writes changes as a git patch. `unfiltered` names files that contain what is on disk, because their git filter did not run. */
export async function patchOf(
  request: ProjectRequest,
  { blobs, stateDir }: OpenedRun["store"],
  changes: Changeset,
): Promise<Result<{ readonly text: string; readonly unfiltered: readonly string[] }>> {
  const located = locateProject(request);
  if (!located.ok) return located;
  const { root } = located.value;
  const [{ exportPatch }, { sandboxedFilter }] = await Promise.all([
    import("../changeset/export-patch.ts"),
    import("../workspace/clean-filter.ts"),
  ]);
  const filter = sandboxedFilter({ root, stateDir, env: request.env });
  try {
    return await exportPatch({ changes, blobs, project: { root, clean: filter.clean } });
  } finally {
    await filter.close();
  }
}
