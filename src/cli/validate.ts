/** `wave validate`: every problem of a manifest at once. */

import { type Diagnostic, hasErrors } from "../core/diagnostic.ts";
import type { ValidatedProject } from "../core/loaded.ts";
import type { FileSource } from "../core/ports.ts";
import { fileTextOf, locateProject, readProject } from "../engine/open-project.ts";
import { diskSource } from "../manifest/load/disk-source.ts";
import { loadTests } from "../manifest/load/find-tests.ts";
import { renderDiagnostics } from "../reporters/diagnostics/render-diagnostics.ts";
import {
  adapterOption,
  type Command,
  fail,
  flag,
  frameTexts,
  type Invocation,
  jsonOption,
  manifestOptions,
  textOption,
} from "./define-command.ts";
import { manifestTexts } from "./manifest-texts.ts";
import { projectRequest } from "./project-request.ts";

const formats = ["text", "json", "github", "sarif"] as const;

export const validateCommand: Command = {
  name: "validate",
  summary: "Check a manifest, everything it names, and the tests of its pipelines",
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
  const { loaded, project, root } = read.value;
  const diagnostics = [
    ...read.value.diagnostics,
    ...(project === undefined ? [] : await testDiagnostics(request.source ?? diskSource(root), project)),
  ];
  const output = format === "text" ? io.stderr : io.stdout;
  const [known, others] = [fileTextOf(loaded), manifestTexts(request)];
  const texts = frameTexts(io, (file) => known(file) ?? others(file));
  const text = renderDiagnostics(io.secrets.redactor().value(diagnostics), texts, format, { color: output.color });
  if (format === "github") output.writeControl(text);
  else if (format === "text") output.write(text);
  else output.writeData(text);
  if (hasErrors(diagnostics) || project === undefined) return 2;
  const summary = format === "text" ? io.stdout : format === "github" ? io.stderr : undefined;
  summary?.write(`${read.value.files[0]} holds: ${project.pipelines.map(({ pipeline }) => describe(pipeline)).join(", ")}\n`);
  return 0;
}

/** What is wrong with the project's tests, where it has some. */
async function testDiagnostics(source: FileSource, project: ValidatedProject): Promise<readonly Diagnostic[]> {
  const loaded = await loadTests(source);
  if (loaded.tests.length === 0) return loaded.diagnostics;
  const { readPipelineTests } = await import("../manifest/validate/pipeline-tests.ts");
  return [...loaded.diagnostics, ...readPipelineTests(loaded.tests, project).diagnostics];
}

function describe(pipeline: { readonly name: string; readonly version?: string; readonly steps: readonly unknown[] }): string {
  const version = pipeline.version === undefined ? "" : `@${pipeline.version}`;
  const count = pipeline.steps.length;
  return `${pipeline.name}${version} (${count} ${count === 1 ? "step" : "steps"})`;
}
