/** Reads pipeline tests and checks that their steps, artifacts, contracts and paths exist. */
import parseJsonPath from "jsonpath-rfc9535/parser";
import { defined } from "../../core/defined.ts";
import { type Diagnostic, hasErrors, sortDiagnostics } from "../../core/diagnostic.ts";
import { type DocumentNode, type MapEntry, toValue } from "../../core/document.ts";
import type { ValidatedProject } from "../../core/loaded.ts";
import type { Pipeline, Step } from "../../core/pipeline.ts";
import type { Expected, ExpectedArtifact, ExpectedStep, PipelineTest } from "../../core/pipeline-test.ts";
import { normalizePath, staysInside } from "../../core/project-path.ts";
import { collectFindings, type Findings } from "./findings.ts";
import { asLocated, asNumber, asOneOf, asText, entries, keyOrigin, member, startOf, textItems } from "./read-node.ts";
import { selectPipeline } from "./select-pipeline.ts";
import { checkStructure } from "./structure.ts";

export interface TestDocument {
  readonly name: string;
  readonly file: string;
  readonly document: DocumentNode;
}

/** Returns the valid tests and the diagnostics of all. */
export function readPipelineTests(
  documents: readonly TestDocument[],
  project: ValidatedProject,
): { readonly tests: readonly PipelineTest[]; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const tests = documents.flatMap((document) => {
    const findings = collectFindings();
    const test = readTest(document, project, findings);
    diagnostics.push(...findings.all());
    return test === undefined || hasErrors(findings.all()) ? [] : [test];
  });
  return { tests, diagnostics: sortDiagnostics(diagnostics) };
}

function readTest({ name, file, document }: TestDocument, project: ValidatedProject, findings: Findings): PipelineTest | undefined {
  checkStructure(document, "test", findings);
  const wanted = asLocated(member(document, "pipeline"));
  const pipeline = selectPipeline(project, wanted?.text);
  if (!pipeline.ok) {
    const { message, hint } = pipeline.error.reason === "usage" ? pipeline.error : { message: pipeline.error.reason };
    findings.error("W311", message, wanted?.origin ?? startOf(document.origin), hint === undefined ? {} : { hint });
    return undefined;
  }
  const recordings = asLocated(member(document, "recordings"));
  if (recordings === undefined) return undefined;
  if (!staysInside(recordings.text)) findings.error("W304", `\`${recordings.text}\` is outside the project`, recordings.origin);
  const expect = member(document, "expect");
  const steps = entries(member(expect, "steps")).flatMap((entry) => readStep(entry, pipeline.value, findings) ?? []);
  const snapshot = member(document, "snapshot");
  return {
    name,
    file,
    pipeline: pipeline.value,
    recordings: normalizePath(recordings.text),
    steps,
    ...defined({ input: asText(member(document, "input")) }),
    status: {
      value: asOneOf(member(expect, "status"), ["passed", "failed"]) ?? "passed",
      origin: member(expect, "status")?.origin ?? startOf(document.origin),
    },
    ...(snapshot?.kind === "scalar" && snapshot.value === true ? { snapshot: keyOrigin(document, "snapshot") } : {}),
  };
}

function readStep({ key, keyOrigin: origin, node }: MapEntry, pipeline: Pipeline, findings: Findings): ExpectedStep | undefined {
  const step = pipeline.steps.find(({ id }) => id === key);
  if (step === undefined) {
    const known = pipeline.steps.map(({ id }) => id);
    findings.error("W302", `pipeline \`${pipeline.name}\` has no step \`${key}\``, origin, findings.guess(key, known));
    return undefined;
  }
  const changes = member(node, "changes");
  return {
    id: key,
    ...defined({
      status: expected(member(node, "status"), asText),
      attempts: expected(member(node, "attempts"), asNumber),
      failure: expected(member(node, "failure"), asText),
    }),
    verdicts: entries(member(node, "verdicts")).flatMap((entry) => readVerdict(entry, step, findings)),
    artifacts: entries(member(node, "artifacts")).flatMap((entry) => readArtifact(entry, step, findings)),
    ...(changes === undefined
      ? {}
      : { changes: { value: textItems(changes).map(({ text }) => normalizePath(text)), origin: changes.origin } }),
  };
}

function expected<T>(node: DocumentNode | undefined, read: (node: DocumentNode | undefined) => T | undefined): Expected<T> | undefined {
  const value = read(node);
  return value === undefined || node === undefined ? undefined : { value, origin: node.origin };
}

function readVerdict({ key, keyOrigin: origin, node }: MapEntry, step: Step, findings: Findings) {
  const known = step.contracts.map(({ name }) => name);
  if (!known.includes(key)) {
    findings.error("W309", `step \`${step.id}\` has no contract \`${key}\``, origin, findings.guess(key, known, namesOf(known)));
    return [];
  }
  const value = asText(node);
  return value === undefined ? [] : [{ contract: key, value, origin: node.origin }];
}

function readArtifact({ key, keyOrigin: origin, node }: MapEntry, step: Step, findings: Findings): ExpectedArtifact[] {
  const known = step.artifacts.map(({ name }) => name);
  if (!known.includes(key)) {
    findings.error("W305", `step \`${step.id}\` declares no artifact \`${key}\``, origin, findings.guess(key, known, namesOf(known)));
    return [];
  }
  const text = asText(node);
  if (text !== undefined) return [{ artifact: key, origin: node.origin, text }];
  return entries(node).flatMap((entry): ExpectedArtifact[] => {
    const problem = jsonPathProblem(entry.key);
    if (problem === undefined) return [{ artifact: key, origin: entry.node.origin, path: entry.key, value: toValue(entry.node) }];
    findings.error("W205", `\`${entry.key}\` is not a JSONPath: ${problem}`, entry.keyOrigin, {
      hint: "JSONPaths start with `$`: `$.name`, `$.list[0]`, `$.list[*].name`",
    });
    return [];
  });
}

function namesOf(known: readonly string[]): string {
  return known.length === 0 ? "it has none" : `it has ${known.map((name) => `\`${name}\``).join(", ")}`;
}

/** The syntax error of a JSONPath. Undefined if it is valid. */
function jsonPathProblem(text: string): string | undefined {
  try {
    parseJsonPath(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n")[0] : String(error);
  }
}
