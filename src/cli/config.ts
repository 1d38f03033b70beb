/** `wave config`: the manifest as it stands after overlays and substitution. */

import { toValue } from "../core/document.ts";
import { fileTextOf, locateProject, readProject, requireValid } from "../engine/open-project.ts";
import { configOrigins, escapeVariables, maskSecrets, resolvedConfig } from "../manifest/load/print-config.ts";
import { withMergedPersonas } from "../manifest/validate/persona-layers.ts";
import { personaLibrary } from "../prompt/library.ts";
import { type Command, fail, flag, type Invocation, jsonOption, manifestOptions, printJson } from "./define-command.ts";
import { projectRequest } from "./project-request.ts";

export const configCommand: Command = {
  name: "config",
  summary: "Print the manifest after overlays and substitution, secrets masked",
  arguments: [],
  options: [...manifestOptions, { flags: "--origins", description: "say which file and line each value came from" }, jsonOption],
  examples: ["wave config", "wave config -f wave.yaml -f ci.yaml --origins"],
  run: config,
};

async function config(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const request = projectRequest(invocation);
  const located = locateProject(request);
  if (!located.ok) return fail(io, located.error, { json });
  const read = await readProject(request, located.value);
  if (!read.ok) return fail(io, read.error, { json });
  const { loaded } = read.value;
  const valid = requireValid(read.value);
  if (!valid.ok || loaded.manifest === undefined) {
    return fail(io, { reason: "manifest-invalid", diagnostics: read.value.diagnostics }, { json, fileText: fileTextOf(loaded) });
  }
  const origins = flag(invocation, "origins");
  const redactor = io.secrets.redactor();
  const manifest = withMergedPersonas({ manifest: loaded.manifest, files: loaded.personas, library: personaLibrary });
  if (json) printJson(io, origins ? configOrigins(manifest) : toValue(escapeVariables(maskSecrets(manifest))), 2);
  else io.stdout.writeData(resolvedConfig(manifest, { origins, redactor }));
  return 0;
}
