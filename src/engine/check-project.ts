/** Validates a project together with the tests of its pipelines. */
import type { Diagnostic } from "../core/diagnostic.ts";
import { ok, type Result } from "../core/result.ts";
import { diskSource } from "../manifest/load/disk-source.ts";
import { loadTests } from "../manifest/load/find-tests.ts";
import { locateProject, type ProjectRequest, type ReadProject, readProject } from "./open-project.ts";

export interface CheckedProject {
  readonly read: ReadProject;
  /** Of the manifest, and of the tests if the manifest is valid. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Fails if there is no manifest to validate. Problems of the manifest are diagnostics. */
export async function checkProject(request: ProjectRequest): Promise<Result<CheckedProject>> {
  const located = locateProject(request);
  if (!located.ok) return located;
  const read = await readProject(request, located.value);
  if (!read.ok) return read;
  const { project, root, diagnostics } = read.value;
  if (project === undefined) return ok({ read: read.value, diagnostics });
  const loaded = await loadTests(request.known?.source ?? diskSource(root));
  const found = [...diagnostics, ...loaded.diagnostics];
  if (loaded.tests.length === 0) return ok({ read: read.value, diagnostics: found });
  const { readPipelineTests } = await import("../manifest/validate/pipeline-tests.ts");
  return ok({ read: read.value, diagnostics: [...found, ...readPipelineTests(loaded.tests, project).diagnostics] });
}
