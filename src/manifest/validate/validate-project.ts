/**
 * The validator of `validate`, `plan` and `run`. Turns loaded documents into pipelines with resolved references, or reports all problems at once. Does
 * not read files.
 */
import { type Diagnostic, hasErrors, sortDiagnostics } from "../../core/diagnostic.ts";
import { defaultStateLocation } from "../../core/limits.ts";
import type { LoadedProject, ValidatedProject } from "../../core/loaded.ts";
import type { Pipeline } from "../../core/pipeline.ts";
import type { ContractFile } from "../../core/ports.ts";
import { normalizePath, staysInside } from "../../core/project-path.ts";
import { readAlerts } from "./alerts.ts";
import { checkContracts } from "./contract-checks.ts";
import { checkManifestKeys } from "./exclusive-keys.ts";
import { collectFindings } from "./findings.ts";
import { readPersonas } from "./personas.ts";
import { findPipelines } from "./pipeline-sources.ts";
import { readDefaults, readPipeline } from "./pipelines.ts";
import { checkPrices } from "./prices.ts";
import { asLocated, asText, entries, member } from "./read-node.ts";
import type { Scope, ValidateOptions } from "./scope.ts";
import { checkStructure } from "./structure.ts";

/** `project` is undefined if a diagnostic is an error. Diagnostics include those of loading. */
export interface Validated {
  readonly project?: ValidatedProject;
  /** Sorted. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Validates a project. Problems of the manifest are diagnostics; it throws only for bugs. */
export async function validateProject(loaded: LoadedProject, options: ValidateOptions): Promise<Validated> {
  const { manifest } = loaded;
  if (manifest === undefined) return { diagnostics: sortDiagnostics(loaded.diagnostics) };
  const scope: Scope = { loaded, manifest, options, findings: collectFindings() };
  checkDocuments(scope);
  const personas = readPersonas(scope);
  const defaults = readDefaults(scope);
  const pipelines = findPipelines(scope).map((source) => ({
    pipeline: readPipeline(source, defaults, personas, scope),
    active: source.active,
  }));
  checkStateLocation(scope);
  const alerts = readAlerts(scope);
  checkPrices(scope, personas);
  const built = pipelines.map(({ pipeline }) => pipeline);
  const contractFiles = contractFilesOf(scope, built);
  await checkContracts(built, contractFiles, scope);

  const diagnostics = sortDiagnostics([...loaded.diagnostics, ...newFindings(scope)]);
  if (hasErrors(diagnostics)) return { diagnostics };
  const declared = built.flatMap(({ steps }) => steps.flatMap((step) => step.secrets));
  const ofAlerts = alerts.flatMap(({ urlFrom, secret }) => [urlFrom, secret].filter((name) => name !== undefined));
  const secrets = [...new Set([...defaults.secrets, ...personas.secrets, ...declared, ...ofAlerts])];
  return { project: { personas: personas.all(), pipelines, contractFiles: contractFiles, secrets, alerts }, diagnostics };
}

function checkDocuments({ loaded, manifest, findings }: Scope): void {
  checkStructure(manifest, "manifest", findings);
  checkManifestKeys(manifest, findings);
  for (const { document } of loaded.pipelines) if (document !== undefined) checkStructure(document, "pipeline-file", findings);
  for (const { document } of loaded.personas) checkStructure(document, "persona", findings);
}

/** Findings without those that loading reported with the same code and position. */
function newFindings({ loaded, findings }: Scope): readonly Diagnostic[] {
  const place = ({ code, origin: { file, range } }: Diagnostic) => `${code} ${file}:${range.start.line}:${range.start.column}`;
  const reported = new Set(loaded.diagnostics.map(place));
  return findings.all().filter((diagnostic) => !reported.has(place(diagnostic)));
}

function checkStateLocation({ manifest, findings }: Scope): void {
  const location = asLocated(member(member(manifest, "state"), "location"));
  if (location === undefined || staysInside(location.text)) return;
  findings.error("W304", `the state's location \`${location.text}\` is outside the project`, location.origin, {
    hint: `the default is \`${defaultStateLocation}\``,
  });
}

/** Files of contracts: schemas, and the files that schemas refer to. These are all loaded texts except manifests, pipelines, personas and prompts. */
function contractFilesOf({ loaded, manifest }: Scope, pipelines: readonly Pipeline[]): ReadonlyMap<string, ContractFile> {
  const schemas = new Set(
    pipelines.flatMap(({ steps }) =>
      steps.flatMap(({ contracts }) => contracts.flatMap((contract) => (contract.type === "json_schema" ? [contract.schema] : []))),
    ),
  );
  const personas = [...loaded.personas.map(({ document }) => document), ...entries(member(manifest, "personas")).map(({ node }) => node)];
  const prompts = personas.flatMap((node) => asText(node) ?? asText(member(node, "prompt")) ?? []);
  const others = [
    ...loaded.manifestFiles,
    ...loaded.pipelines.map(({ file }) => file),
    ...loaded.personas.map(({ file }) => file),
    ...prompts,
  ];
  const excluded = new Set(others.map(normalizePath));
  const contractFiles = new Map<string, ContractFile>();
  for (const [path, file] of loaded.files) {
    if (file.kind !== "text" || (excluded.has(normalizePath(path)) && !schemas.has(file.path))) continue;
    contractFiles.set(file.path, { path: file.path, text: file.text, digest: file.digest });
  }
  return contractFiles;
}
