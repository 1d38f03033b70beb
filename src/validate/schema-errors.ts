/**
 * From a schema compiler's errors to diagnostics. A union is resolved to the branch that was meant: by the kind of value, and
 * among maps by the literal that tells them apart (a contract's `type`); so a union and its branches are never both reported.
 */
import { type DocumentNode, type DocumentPath, keyOriginAt, nodeAt, originAt } from "../model/document.ts";
import { type Findings, listed } from "./findings.ts";
import { knownKeys, patterns, type SchemaError } from "./generated/manifest-validator.js";
import { forms, kindOf, kindsOf, nameOf } from "./schema-wording.ts";

/** What one run of a validator found. */
export interface SchemaReport {
  readonly errors: readonly SchemaError[];
  /** What was validated. */
  readonly node: DocumentNode;
  /** The way to it, for wording. */
  readonly prefix: DocumentPath;
  /** The validator's name, under which its known keys are listed. */
  readonly validator: string;
}

/** Reports each error once, with unions resolved. */
export function reportSchemaErrors(report: SchemaReport, findings: Findings): void {
  for (const error of resolveUnions(report.errors)) reportOne(error, report, findings);
}

/** A union's errors stand right before its own: branches first, then `anyOf`. */
function resolveUnions(errors: readonly SchemaError[]): SchemaError[] {
  const resolved: SchemaError[] = [];
  for (let index = errors.length - 1; index >= 0; index--) {
    const error = errors[index];
    if (error === undefined) break;
    if (error.keyword !== "anyOf") {
      resolved.push(error);
      continue;
    }
    let first = index;
    while (first > 0 && isUnder(errors[first - 1], error)) first--;
    resolved.push(...chosenBranch(error, errors.slice(first, index)).reverse());
    index = first;
  }
  return resolved.reverse();
}

function isUnder(error: SchemaError | undefined, union: SchemaError): boolean {
  if (error === undefined || !error.schemaPath.startsWith(`${union.schemaPath}/`)) return false;
  return error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`);
}

function chosenBranch(union: SchemaError, errors: readonly SchemaError[]): SchemaError[] {
  const branches = branchesOf(union, errors);
  const isWrongKind = (error: SchemaError) => error.keyword === "type" && error.instancePath === union.instancePath;
  const right = branches.filter((branch) => !branch.some(isWrongKind));
  if (right.length === 0) {
    const types = errors.filter(isWrongKind).flatMap(typesOf);
    return [{ ...union, keyword: "type", params: { type: [...new Set(types)] } }];
  }
  const meant = right.filter((branch) => !branch.some(isLiteral));
  if (meant.length === 1 || right.length === 1) return resolveUnions(meant[0] ?? right[0] ?? []);
  const literals = right.flat().filter(isLiteral);
  const literal = literals[0];
  if (literal !== undefined) return [{ ...literal, keyword: "enum", params: { allowedValues: literals.map((error) => error.params["allowedValue"]) } }];
  // No branch says which one is meant: what is missing in all of them is what would tell.
  const required = right.map((branch) => branch.find((error) => error.keyword === "required" && error.instancePath === union.instancePath));
  return required[0] === undefined ? [union] : [required[0]];
}

function branchesOf(union: SchemaError, errors: readonly SchemaError[]): SchemaError[][] {
  const branches = new Map<string, SchemaError[]>();
  for (const error of errors) {
    const key = error.schemaPath.slice(union.schemaPath.length + 1).split("/", 1)[0] ?? "";
    branches.set(key, [...(branches.get(key) ?? []), error]);
  }
  return [...branches.values()];
}

function isLiteral(error: SchemaError): boolean {
  return error.keyword === "const";
}

function typesOf(error: SchemaError): string[] {
  const { type } = error.params;
  return Array.isArray(type) ? type.map(String) : [String(type)];
}

function reportOne(error: SchemaError, report: SchemaReport, findings: Findings): void {
  const path = pathOf(error.instancePath);
  const place = { path, node: nodeAt(report.node, path), name: nameOf([...report.prefix, ...path]) };
  switch (error.keyword) {
    case "additionalProperties":
      return reportUnknownKey(error, report, path, findings);
    case "required": {
      const key = String(error.params["missingProperty"]);
      const at = path.length === 0 ? headOf(report.node) : keyOriginAt(report.node, path);
      const owner = path.length + report.prefix.length === 0 ? "" : ` in ${place.name}`;
      return findings.error("W203", `\`${key}\` is missing${owner}`, at, { hint: `add \`${key}:\`` });
    }
    case "type":
      return reportKind(error, place, report, findings);
    case "enum":
    case "const":
      return reportNotAllowed(error, place, report, findings);
    default:
      return reportForm(error, place, report, findings);
  }
}

interface Place {
  readonly path: DocumentPath;
  readonly node: DocumentNode | undefined;
  readonly name: string;
}

function reportUnknownKey(error: SchemaError, report: SchemaReport, path: DocumentPath, findings: Findings): void {
  const key = String(error.params["additionalProperty"]);
  const origin = keyOriginAt(report.node, [...path, key]);
  const known = knownKeys[report.validator]?.[parentOf(error.schemaPath)];
  if (known === undefined) {
    findings.error("W205", `\`${key}\` in ${nameOf([...report.prefix, ...path])} is not ${forms["^[A-Za-z_][A-Za-z0-9_]*$"]}`, origin);
    return;
  }
  const place = path.length + report.prefix.length === 0 ? "here" : `in ${nameOf([...report.prefix, ...path])}`;
  findings.error("W201", `\`${key}\` is not a key that is known ${place}`, origin, findings.guess(key, known, `known keys: ${listed(known, "and", 20)}`));
}

function reportKind(error: SchemaError, { node, path, name }: Place, report: SchemaReport, findings: Findings): void {
  const types = typesOf(error);
  const isNull = node?.kind === "scalar" && node.value === null;
  const pattern = patterns[report.validator]?.[parentOf(error.schemaPath)];
  const form = pattern === undefined || types.length > 1 ? undefined : forms[pattern];
  const hint = node?.kind === "scalar" && !isNull && types.length === 1 && types[0] === "string" && form === undefined ? { hint: "write it in quotes" } : {};
  const origin = isNull ? keyOriginAt(report.node, path) : originAt(report.node, path);
  const found = types.includes("integer") && node?.kind === "scalar" && typeof node.value === "number" ? `\`${node.value}\`` : kindOf(node);
  findings.error("W202", `${name} has to be ${form ?? kindsOf(types)}, not ${found}`, origin, hint);
}

function parentOf(pointer: string): string {
  return pointer.slice(0, pointer.lastIndexOf("/"));
}

function reportNotAllowed(error: SchemaError, { node, path, name }: Place, report: SchemaReport, findings: Findings): void {
  const { allowedValues, allowedValue } = error.params;
  const allowed = Array.isArray(allowedValues) ? [...new Set(allowedValues.map(String))] : [String(allowedValue)];
  const written = node?.kind === "scalar" ? `\`${String(node.value)}\`` : kindOf(node);
  const word = node?.kind === "scalar" ? String(node.value) : "";
  findings.error("W204", `${written} is not allowed for ${name}`, originAt(report.node, path), {
    hint: `use ${listed(allowed, "or", 20)}`,
    ...withHint(findings.guess(word, allowed), allowed),
  });
}

function withHint(guess: { readonly hint?: string | undefined; readonly fix?: string | undefined }, allowed: readonly string[]): { hint?: string; fix?: string } {
  if (guess.fix === undefined) return {};
  return { hint: `did you mean \`${guess.fix}\`? Use ${listed(allowed, "or", 20)}`, fix: guess.fix };
}

function reportForm(error: SchemaError, { node, path, name }: Place, report: SchemaReport, findings: Findings): void {
  const written = node?.kind === "scalar" ? `\`${shortened(String(node.value))}\`` : kindOf(node);
  const origin = originAt(report.node, path);
  const { limit, comparison } = error.params;
  switch (error.keyword) {
    case "pattern":
      return findings.error("W205", `${written} for ${name} is not ${forms[String(error.params["pattern"])] ?? "of the right form"}`, origin);
    case "minLength":
    case "minItems":
    case "minProperties":
      return findings.error("W205", `${name} is empty`, keyOriginAt(report.node, path));
    case "maxLength":
      return findings.error("W205", `${name} is longer than ${String(limit)} characters`, origin);
    case "minimum":
    case "maximum":
      return findings.error("W205", `${written} for ${name} is out of bounds: it has to be ${String(comparison)} ${String(limit)}`, origin);
    case "uniqueItems": {
      const second = [...path, Math.max(Number(error.params["i"]), Number(error.params["j"]))];
      return findings.error("W205", `${nameOf([...report.prefix, ...second])} stands there already`, originAt(report.node, second));
    }
    default:
      return findings.error("W202", `${name} is not in a form that is known`, origin);
  }
}

/** A place to point at when a whole map is meant: its first key. */
function headOf(node: DocumentNode) {
  const first = node.kind === "map" ? node.entries.values().next().value : undefined;
  return first?.keyOrigin ?? node.origin;
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** A JSON pointer as a path; whether a part is an index is only known from the document, where `"3"` and `3` lead the same way. */
function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
