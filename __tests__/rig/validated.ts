/** Validates projects that are written in a test: files by path, loaded from memory by the real loader. */

import type { Diagnostic } from "../../src/core/diagnostic.ts";
import type { Pipeline, Step } from "../../src/core/pipeline.ts";
import type { FileSource } from "../../src/core/ports.ts";
import { loadProject } from "../../src/manifest/load/load-project.ts";
import type { PersonaDocument } from "../../src/manifest/schema/manifest.ts";
import type { ValidateOptions } from "../../src/manifest/validate/scope.ts";
import { type Validated, validateProject } from "../../src/manifest/validate/validate-project.ts";

const library: ReadonlyMap<string, PersonaDocument> = new Map([
  [
    "navigator",
    { description: "Finds the way", system_prompt: "You navigate.", permissions: { allow: ["file_read:**"], deny: ["file_write:**"] } },
  ],
  ["craftsman", { system_prompt: "You build." }],
  ["tester", { system_prompt: "You test." }],
]);

/** Files by path; `wave.yaml` is the manifest. Contracts hold unless `options` say otherwise. */
export async function validateFiles(files: Readonly<Record<string, string>>, options: Partial<ValidateOptions> = {}): Promise<Validated> {
  const loaded = await loadProject({ files: ["wave.yaml"], env: {}, source: memorySource(files) });
  return validateProject(loaded, { library, checkContract: async () => [], ...options });
}

/** Validates one manifest and gives its problems, one line each: `code file:line:column message (hint) [fix]`; warnings start with `~`. */
export async function problemsOf(
  manifest: string,
  files: Readonly<Record<string, string>> = {},
  options: Partial<ValidateOptions> = {},
): Promise<string[]> {
  const { diagnostics } = await validateFiles({ ...files, "wave.yaml": manifest }, options);
  return diagnostics.map(lineOf);
}

/** The only pipeline of a manifest that holds. */
export async function pipelineOf(
  manifest: string,
  files: Readonly<Record<string, string>> = {},
  options: Partial<ValidateOptions> = {},
): Promise<Pipeline> {
  const { project, diagnostics } = await validateFiles({ ...files, "wave.yaml": manifest }, options);
  const pipeline = project?.pipelines[0]?.pipeline;
  if (pipeline === undefined) throw new Error(diagnostics.map(lineOf).join("\n"));
  return pipeline;
}

/** A step of a pipeline, by id. */
export function stepOf(pipeline: Pipeline, id: string): Step {
  const step = pipeline.steps.find((candidate) => candidate.id === id);
  if (step === undefined) throw new Error(`no step ${id}`);
  return step;
}

function lineOf({ code, severity, message, origin, hint, fix }: Diagnostic): string {
  const { line, column } = origin.range.start;
  const place = `${origin.file === "wave.yaml" ? "" : `${origin.file}:`}${line}:${column}`;
  return `${severity === "warning" ? "~" : ""}${code} ${place} ${message}${hint === undefined ? "" : ` (${hint})`}${fix === undefined ? "" : ` [${fix}]`}`;
}

function memorySource(files: Readonly<Record<string, string>>): FileSource {
  return {
    read: async (path) => {
      const text = Object.hasOwn(files, path) ? files[path] : undefined;
      if (path.startsWith("../") || path.startsWith("/")) return { kind: "outside" };
      return text === undefined ? { kind: "missing" } : { kind: "bytes", bytes: Buffer.from(text) };
    },
    list: async (directory) =>
      Object.keys(files)
        .filter((path) => path.startsWith(`${directory}/`) && !path.slice(directory.length + 1).includes("/"))
        .map((path) => path.slice(directory.length + 1))
        .sort(),
  };
}
