/** `wave validate`: reports every problem of a manifest. */

import { hasErrors, sortDiagnostics } from "../core/diagnostic.ts";
import { ok } from "../core/result.ts";
import { checkProject } from "../engine/check-project.ts";
import { fileTextOf } from "../engine/open-project.ts";
import { renderDiagnostics } from "../reporters/diagnostics/render-diagnostics.ts";
import { counted } from "../text/quantity.ts";
import { adapterOption, defineCommand, frameTexts, printDiagnostics } from "./define-command.ts";
import { manifestTexts } from "./manifest-texts.ts";

export const validateCommand = defineCommand({
  name: "validate",
  summary: "Check a manifest, every file it names, and the tests of its pipelines",
  details:
    "Exits with 0 if the manifest is valid, even if there are warnings, and with 2 if it is not. `plan` and `run` use the same validator.",
  options: [
    adapterOption,
    { flags: "--format <format>", description: "output format", choices: ["text", "json", "github", "sarif"], default: "text" },
  ],
  examples: ["wave validate", "wave validate -f wave.yaml --env staging", "wave validate --format sarif > wave.sarif"],
  run: async ({ io, request, json, text }) => {
    const checked = await checkProject(request);
    if (!checked.ok) return checked;
    const { read, diagnostics } = checked.value;
    const [loadedText, diskText] = [fileTextOf(read.loaded), manifestTexts(request)];
    const fileText = (file: string) => loadedText(file) ?? diskText(file);
    const shown = io.secrets.redactor().value(diagnostics);
    const format = json ? "json" : text("format");
    const rendered = (kind: "github" | "sarif") => renderDiagnostics(shown, frameTexts(io, fileText), kind, { color: io.stdout.color });
    if (format === "github") io.stdout.writeControl(rendered("github"));
    if (format === "text") printDiagnostics(io, shown, fileText);
    const valid = !hasErrors(diagnostics) && read.project !== undefined;
    const pipelines = read.project?.pipelines.map(({ pipeline }) => describe(pipeline)).join(", ");
    const summary = () => (valid ? `${read.files[0]} is valid: ${pipelines}\n` : "");
    return ok({
      json: { ok: !hasErrors(diagnostics), diagnostics: sortDiagnostics(diagnostics) },
      indent: 2,
      ...(format === "sarif" ? { data: rendered("sarif") } : format === "github" ? { notes: summary } : { text: summary }),
      code: valid ? 0 : 2,
    });
  },
});

function describe(pipeline: { readonly name: string; readonly version?: string; readonly steps: readonly unknown[] }): string {
  const version = pipeline.version === undefined ? "" : `@${pipeline.version}`;
  const count = pipeline.steps.length;
  return `${pipeline.name}${version} (${counted(count, "step")})`;
}
