/** Turns shape problems into diagnostics with position and advice. */
import { type DocumentNode, type DocumentPath, keyOriginAt, nodeAt, originAt } from "../../core/document.ts";
import type { ShapeProblem } from "./check-shape.ts";
import { type Findings, quotedList } from "./findings.ts";
import { keyAdvice } from "./key-advice.ts";
import { resolveUnions, typesOf } from "./resolve-unions.ts";
import { forms, kindsOf, nameOf, nodeKind } from "./schema-wording.ts";

/** The problems of a document, or of a part of it. */
export interface ShapeReport {
  readonly problems: readonly ShapeProblem[];
  /** The checked node. */
  readonly node: DocumentNode;
  /** Path of `node` in the document, for messages. */
  readonly prefix: DocumentPath;
}

/** Reports each problem once, with unions resolved. A required key that is misspelt is reported as misspelt only. */
export function reportShapeProblems(report: ShapeReport, findings: Findings): void {
  if (report.problems.length === 0) return;
  const isScalarAt = (pointer: string) => nodeAt(report.node, pathOf(pointer))?.kind === "scalar";
  const problems = resolveUnions(report.problems, isScalarAt);
  const isUnknownKey = (problem: ShapeProblem) => problem.keyword === "additionalProperties";
  const meant = new Set<string>();
  for (const problem of problems.filter(isUnknownKey)) {
    const key = reportUnknownKey(problem, report, pathOf(problem.instancePath), findings);
    if (key !== undefined) meant.add(`${problem.instancePath}/${key}`);
  }
  for (const problem of problems) {
    if (!isUnknownKey(problem) && !meant.has(`${problem.instancePath}/${String(problem.params["missingProperty"])}`))
      reportOne(problem, report, findings);
  }
}

function reportOne(problem: ShapeProblem, report: ShapeReport, findings: Findings): void {
  const path = pathOf(problem.instancePath);
  const place = { path, node: nodeAt(report.node, path), name: nameOf([...report.prefix, ...path]) };
  switch (problem.keyword) {
    case "required":
      reportMissing(String(problem.params["missingProperty"]), place, report, findings);
      break;
    case "type":
      reportKind(problem, place, report, findings);
      break;
    case "enum":
    case "const":
      reportNotAllowed(problem, place, report, findings);
      break;
    default:
      reportForm(problem, place, report, findings);
  }
}

interface Place {
  readonly path: DocumentPath;
  readonly node: DocumentNode | undefined;
  readonly name: string;
}

function reportMissing(key: string, { path, name }: Place, report: ShapeReport, findings: Findings): void {
  const at = path.length === 0 ? headOf(report.node) : keyOriginAt(report.node, path);
  const owner = path.length + report.prefix.length === 0 ? "" : ` in ${name}`;
  findings.error("W203", `\`${key}\` is missing${owner}`, at, { hint: `add \`${key}:\`` });
}

/** Returns the key that was probably meant. */
function reportUnknownKey(problem: ShapeProblem, report: ShapeReport, path: DocumentPath, findings: Findings): string | undefined {
  const key = String(problem.params["additionalProperty"]);
  const origin = keyOriginAt(report.node, [...path, key]);
  const { properties } = problem.shape;
  if (properties === undefined) {
    findings.error("W205", `\`${key}\` in ${nameOf([...report.prefix, ...path])} is not ${forms["^[A-Za-z_][A-Za-z0-9_]*$"]}`, origin);
    return undefined;
  }
  const place = path.length + report.prefix.length === 0 ? "" : ` in ${nameOf([...report.prefix, ...path])}`;
  const value = nodeAt(report.node, [...path, key]);
  const advice = keyAdvice({ key, value, shape: problem.shape }, findings);
  findings.error("W201", `unknown key \`${key}\`${place}`, origin, advice);
  return advice.fix;
}

function reportKind(problem: ShapeProblem, { node, path, name }: Place, report: ShapeReport, findings: Findings): void {
  const types = typesOf(problem);
  const isNull = node?.kind === "scalar" && node.value === null;
  const { pattern } = problem.shape;
  const form = pattern === undefined || types.length > 1 ? undefined : forms[pattern];
  const hint =
    node?.kind === "scalar" && !isNull && types.length === 1 && types[0] === "string" && form === undefined
      ? { hint: "write it in quotes" }
      : {};
  const origin = isNull ? keyOriginAt(report.node, path) : originAt(report.node, path);
  const found =
    types.includes("integer") && node?.kind === "scalar" && typeof node.value === "number" ? `\`${node.value}\`` : nodeKind(node);
  findings.error("W202", `${name} must be ${form ?? kindsOf(types)}, not ${found}`, origin, hint);
}

function reportNotAllowed(problem: ShapeProblem, { node, path, name }: Place, report: ShapeReport, findings: Findings): void {
  const { allowedValues, allowedValue, mapKeys } = problem.params;
  const allowed = Array.isArray(allowedValues) ? [...new Set(allowedValues.map(String))] : [String(allowedValue)];
  const written = node?.kind === "scalar" ? `\`${String(node.value)}\`` : nodeKind(node);
  const word = node?.kind === "scalar" ? String(node.value) : "";
  const map = Array.isArray(mapKeys) ? ` or a map with ${quotedList(mapKeys.map(String), "or", 20)}` : "";
  findings.error("W204", `${written} is not allowed for ${name}`, originAt(report.node, path), {
    hint: path.at(-1) === "sandbox" ? sandboxHint(node, report) : `use ${quotedList(allowed, "or", 20)}${map}`,
    ...withHint(findings.guess(word, allowed), allowed),
  });
}

/** `off` is the only value of `sandbox` and disables it, so the hint lists the alternatives first. */
function sandboxHint(node: DocumentNode | undefined, { prefix }: ShapeReport): string {
  const isStep = prefix[0] === "steps";
  if (isStep && node?.kind === "map") return "`show` belongs at the top of the manifest: `sandbox: { show: [PATH] }`";
  const show = isStep ? "" : "use `sandbox: { show: [PATH] }` to make files in `/etc` readable, or ";
  return `${show}remove the key to run in the sandbox; only \`off\` runs outside it`;
}

function withHint(
  guess: { readonly hint?: string | undefined; readonly fix?: string | undefined },
  allowed: readonly string[],
): { hint?: string; fix?: string } {
  if (guess.fix === undefined) return {};
  return { hint: `did you mean \`${guess.fix}\`? Use ${quotedList(allowed, "or", 20)}`, fix: guess.fix };
}

function reportForm(problem: ShapeProblem, { node, path, name }: Place, report: ShapeReport, findings: Findings): void {
  const { limit, comparison, pattern, i, j } = problem.params;
  const written = node?.kind === "scalar" ? `\`${shortened(String(node.value))}\`` : nodeKind(node);
  const say = (message: string, origin = originAt(report.node, path)) => findings.error("W205", message, origin);
  switch (problem.keyword) {
    case "pattern":
      say(`${written} for ${name} is not ${forms[String(pattern)] ?? "valid"}`);
      break;
    case "maxLength":
      say(`${name} is longer than ${String(limit)} characters`);
      break;
    case "minimum":
    case "maximum":
      say(`${written} for ${name} must be ${String(comparison)} ${String(limit)}`);
      break;
    case "uniqueItems": {
      const second = [...path, Math.max(Number(i), Number(j))];
      say(`${nameOf([...report.prefix, ...second])} is a duplicate`, originAt(report.node, second));
      break;
    }
    case "minLength":
    case "minItems":
    case "minProperties":
      say(`${name} is empty`, keyOriginAt(report.node, path));
      break;
    default:
      say(`${name} is not valid`);
  }
}

/** The position of a map as a whole: its first key. */
function headOf(node: DocumentNode) {
  const first = node.kind === "map" ? node.entries.values().next().value : undefined;
  return first?.keyOrigin ?? node.origin;
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** Converts a JSON pointer to a path. Digits become numbers; `nodeAt` accepts them as keys too. */
function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
