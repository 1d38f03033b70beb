/** The prompt's section on expected artifacts: the path of each, and the schema that it must match. Pure. */
import path from "node:path";
import { acceptsMessage } from "../core/message-artifact.ts";
import type { JsonSchemaContract, Step, StepArtifact } from "../core/pipeline.ts";
import type { ContractFile, WorkspacePaths } from "../core/ports.ts";
import { fencedText, quoted } from "./code-block.ts";

/** In characters. Shorter schemas are included in the prompt; longer ones by path only. */
const inlineLimit = 8 * 1024;

/** The section's body. Empty if the step has neither artifacts nor `test_suite` contracts. */
export function expectedArtifacts(step: Step, paths: WorkspacePaths, files: ReadonlyMap<string, ContractFile>): string {
  const artifacts = step.artifacts.flatMap((artifact) => artifactsText(step, artifact, paths, files));
  const tests = step.contracts.flatMap((contract) =>
    contract.type === "test_suite"
      ? [`When you have finished, this command must succeed in the workspace: ${quoted(commandText(contract.command))}`]
      : [],
  );
  return [...artifacts, ...tests].join("\n\n");
}

function artifactsText(step: Step, artifact: StepArtifact, paths: WorkspacePaths, files: ReadonlyMap<string, ContractFile>): string[] {
  const { name, mediaType, optional } = artifact;
  const location = locationText(step, artifact, paths);
  const notes = [...(mediaType === undefined ? [] : [mediaType]), ...(optional ? ["optional"] : [])];
  const schemas = step.contracts.filter(
    (contract): contract is JsonSchemaContract => contract.type === "json_schema" && contract.artifact === name,
  );
  return [
    `- ${quoted(name)}${notes.length === 0 ? "" : ` (${notes.join(", ")})`}: ${location}.`,
    ...schemas.flatMap(({ schema }) => schemaText(name, schema, files.get(schema)?.text)),
  ];
}

function locationText(step: Step, artifact: StepArtifact, paths: WorkspacePaths): string {
  const { name } = artifact;
  if (artifact.source === "message") return "make it your final message, complete and without any other text";
  if (artifact.path !== undefined) return `write it to ${quoted(artifact.path)} in the workspace`;
  const file = `${quoted(path.join(paths.output, name))} (\`$WAVE_OUTPUT_DIR/${name}\`; you may append a file extension)`;
  return acceptsMessage(step, artifact)
    ? `write it to ${file}, or make it your final message, complete and without any other text`
    : `write it to ${file}`;
}

function schemaText(name: string, schema: string, text: string | undefined): string[] {
  const sentence = `${quoted(name)} must be JSON that is valid against the schema ${quoted(schema)}`;
  if (text === undefined || text.length >= inlineLimit) return [`${sentence} (a file of the project).`];
  return [`${sentence}:`, fencedText(text, "json")];
}

function commandText(command: readonly string[] | string): string {
  return typeof command === "string"
    ? command
    : command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(" ");
}
