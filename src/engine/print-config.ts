/** The merged manifest of a project, with secrets masked. */
import { toValue } from "../core/document.ts";
import type { Redactor } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { configOrigins, escapeVariables, maskSecrets, resolvedConfig } from "../manifest/load/print-config.ts";
import { withMergedPersonas } from "../manifest/validate/persona-layers.ts";
import { personaLibrary } from "../prompt/library.ts";
import { locateProject, type ProjectRequest, readProject, requireValid } from "./open-project.ts";

export interface ConfigOptions {
  /** Whether each value is followed by its file and line. */
  readonly origins: boolean;
  /** Called once the declared secrets are known. */
  readonly redactor: () => Redactor;
}

/** Returns the manifest as a document and as YAML. Fails with `manifest-invalid`. */
export async function printedConfig(
  request: ProjectRequest,
  { origins, redactor }: ConfigOptions,
): Promise<Result<{ readonly document: unknown; readonly text: string }>> {
  const located = locateProject(request);
  if (!located.ok) return located;
  const read = await readProject(request, located.value);
  if (!read.ok) return read;
  const { loaded, diagnostics } = read.value;
  if (!requireValid(read.value).ok || loaded.manifest === undefined) return err({ reason: "manifest-invalid", diagnostics });
  const manifest = withMergedPersonas({ manifest: loaded.manifest, files: loaded.personas, library: personaLibrary });
  return ok({
    document: origins ? configOrigins(manifest) : toValue(escapeVariables(maskSecrets(manifest))),
    text: resolvedConfig(manifest, { origins, redactor: redactor() }),
  });
}
