/**
 * Resolves unions in a schema compiler's errors to the branch that was meant: by the kind of value, and among maps by the literal
 * that tells them apart (a contract's `type`); so a union and its branches are never both reported.
 */
import type { SchemaError } from "./generated/manifest-validator.js";

/** Errors with unions resolved, in their order. A union's errors stand right before its own: branches first, then `anyOf`. */
export function resolveUnions(errors: readonly SchemaError[]): SchemaError[] {
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
  if (literal !== undefined)
    return [{ ...literal, keyword: "enum", params: { allowedValues: literals.map((error) => error.params["allowedValue"]) } }];
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

/** The JSON types that a `type` error allows. */
export function typesOf(error: SchemaError): string[] {
  const { type } = error.params;
  return Array.isArray(type) ? type.map(String) : [String(type)];
}
