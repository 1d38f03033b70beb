/**
 * Reduces problems of a union to those of the branch that was meant, chosen by the type of the value and, among maps, by a literal such as a contract's
 * `type`. A union and its branches are never both reported.
 */
import type { ShapeProblem } from "./check-shape.ts";

/** Whether the value at a problem's `instancePath` is a scalar. */
type IsScalarAt = (instancePath: string) => boolean;

/** Resolves unions and keeps the order. The problems of a union's branches directly precede its `anyOf` problem. */
export function resolveUnions(problems: readonly ShapeProblem[], isScalarAt: IsScalarAt): ShapeProblem[] {
  const resolved: ShapeProblem[] = [];
  for (let index = problems.length - 1; index >= 0; index--) {
    const problem = problems[index];
    if (problem === undefined) break;
    if (problem.keyword !== "anyOf") {
      resolved.push(problem);
      continue;
    }
    let first = index;
    while (first > 0 && isUnder(problems[first - 1], problem)) first--;
    resolved.push(...chosenBranch(problem, problems.slice(first, index), isScalarAt).reverse());
    index = first;
  }
  return resolved.reverse();
}

function isUnder(problem: ShapeProblem | undefined, union: ShapeProblem): boolean {
  if (problem === undefined || !problem.schemaPath.startsWith(`${union.schemaPath}/`)) return false;
  return problem.instancePath === union.instancePath || problem.instancePath.startsWith(`${union.instancePath}/`);
}

function chosenBranch(union: ShapeProblem, problems: readonly ShapeProblem[], isScalarAt: IsScalarAt): ShapeProblem[] {
  const branches = branchesOf(union, problems);
  // An `enum` has no type: maps and lists do not match it.
  const isWrongKind = ({ keyword, instancePath }: ShapeProblem) =>
    instancePath === union.instancePath && (keyword === "type" || (keyword === "enum" && !isScalarAt(instancePath)));
  const right = branches.filter((branch) => !branch.some(isWrongKind));
  if (right.length === 0) {
    const types = problems.filter(isWrongKind).flatMap((problem) => (problem.keyword === "enum" ? "string" : typesOf(problem)));
    return [{ ...union, keyword: "type", params: { type: [...new Set(types)] } }];
  }
  // Allowed values are more useful than a pattern.
  const words = right.find((branch) =>
    branch.some(({ keyword, instancePath }) => keyword === "enum" && instancePath === union.instancePath),
  );
  if (words !== undefined) return words.map((problem) => withMap(problem, union));
  const meant = right.filter((branch) => !branch.some(isLiteral));
  if (meant.length === 1 || right.length === 1) return resolveUnions(meant[0] ?? right[0] ?? [], isScalarAt);
  const literals = right.flat().filter(isLiteral);
  const literal = literals[0];
  if (literal !== undefined)
    return [{ ...literal, keyword: "enum", params: { allowedValues: literals.map((problem) => problem.params["allowedValue"]) } }];
  // No branch matches: report the key that distinguishes them.
  const required = right.map((branch) =>
    branch.find((problem) => problem.keyword === "required" && problem.instancePath === union.instancePath),
  );
  return required[0] === undefined ? [union] : [required[0]];
}

/** Adds the keys of the map that is allowed instead of the value. */
function withMap(problem: ShapeProblem, { shape }: ShapeProblem): ShapeProblem {
  const mapKeys = shape.anyOf?.flatMap(({ properties }) => Object.keys(properties ?? {})) ?? [];
  return mapKeys.length === 0 ? problem : { ...problem, params: { ...problem.params, mapKeys } };
}

function branchesOf(union: ShapeProblem, problems: readonly ShapeProblem[]): ShapeProblem[][] {
  const branches = new Map<string, ShapeProblem[]>();
  for (const problem of problems) {
    const key = problem.schemaPath.slice(union.schemaPath.length + 1).split("/", 1)[0] ?? "";
    branches.set(key, [...(branches.get(key) ?? []), problem]);
  }
  return [...branches.values()];
}

function isLiteral(problem: ShapeProblem): boolean {
  return problem.keyword === "const";
}

/** The types that a `type` problem allows. */
export function typesOf(problem: ShapeProblem): string[] {
  const { type } = problem.params;
  return Array.isArray(type) ? type.map(String) : [String(type)];
}
