/** `wave validate`: every problem of a manifest at once. */
import { hasErrors } from "../model/diagnostic.ts";
import { fileTextOf, locateProject, readProject } from "../open-project.ts";
import { renderDiagnostics } from "../report/render-diagnostics.ts";
import { adapterOption, type Command, fail, flag, type Invocation, jsonOption, manifestOptions, textOption } from "./command.ts";
import { projectRequest } from "./project-request.ts";

const formats = ["text", "json", "github", "sarif"] as const;

export const validateCommand: Command = {
  name: "validate",
  summary: "Check a manifest and everything it names",
  details: "Exits 0 when the manifest holds (warnings included), 2 when it does not. `plan` and `run` use the same validator.",
  arguments: [],
  options: [
    ...manifestOptions,
    adapterOption,
    { flags: "--format <format>", description: "how problems are printed", choices: formats, default: "text" },
    { ...jsonOption, description: "the same as --format json" },
  ],
  examples: ["wave validate", "wave validate -f wave.yaml --env staging", "wave validate --format sarif > wave.sarif"],
  run: validate,
};

async function validate(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const format = flag(invocation, "json") ? "json" : (formats.find((known) => known === textOption(invocation, "format")) ?? "text");
  const request = projectRequest(invocation);
  const located = locateProject(request);
  if (!located.ok) return fail(io, located.error, { json: format === "json" });
  const read = await readProject(request, located.value);
  if (!read.ok) return fail(io, read.error, { json: format === "json" });
  const { diagnostics, loaded, project } = read.value;
  const output = format === "text" ? io.stderr : io.stdout;
  output.write(renderDiagnostics(diagnostics, fileTextOf(loaded), format, { color: output.color }));
  if (hasErrors(diagnostics) || project === undefined) return 2;
  if (format === "text")
    io.stdout.write(`${read.value.files[0]} holds: ${project.pipelines.map(({ pipeline }) => describe(pipeline)).join(", ")}\n`);
  return 0;
}

function describe(pipeline: { readonly name: string; readonly version?: string; readonly steps: readonly unknown[] }): string {
  const version = pipeline.version === undefined ? "" : `@${pipeline.version}`;
  const count = pipeline.steps.length;
  return `${pipeline.name}${version} (${count} ${count === 1 ? "step" : "steps"})`;
}
