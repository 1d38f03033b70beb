/**
 * Checks a value against a shape: the subset of JSON Schema that the manifest's schemas use. Collects all problems, in the order and form of other
 * validators. Does not coerce values or fill in defaults.
 */

/** A generated schema without descriptions. */
export interface Shape {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Shape[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  /** Applies to strings only. */
  readonly uniqueItems?: boolean;
  readonly items?: Shape;
  readonly minProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly patternProperties?: Readonly<Record<string, Shape>>;
  /** Rejects keys that match neither `properties` nor `patternProperties`. */
  readonly additionalProperties?: false;
}

/** One violation of a shape. */
export interface ShapeProblem {
  /** A JSON pointer into the value. */
  readonly instancePath: string;
  /** A JSON pointer into the shape, to the keyword. */
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The shape that contains the keyword. */
  readonly shape: Shape;
}

const keywords: Readonly<Record<keyof Shape, true>> = {
  type: true,
  const: true,
  enum: true,
  anyOf: true,
  minimum: true,
  maximum: true,
  minLength: true,
  maxLength: true,
  pattern: true,
  minItems: true,
  uniqueItems: true,
  items: true,
  minProperties: true,
  required: true,
  properties: true,
  patternProperties: true,
  additionalProperties: true,
};

/** The supported keywords. */
export const shapeKeywords: ReadonlySet<string> = new Set(Object.keys(keywords));

/** A value, its shape, and the paths of both. */
interface Place {
  readonly shape: Shape;
  readonly value: unknown;
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly problems: ShapeProblem[];
}

/** Returns all problems of a JSON value; an empty list if it is valid. A matching `anyOf` hides the problems of its other branches. */
export function checkShape(shape: Shape, value: unknown): readonly ShapeProblem[] {
  const problems: ShapeProblem[] = [];
  check({ shape, value, instancePath: "", schemaPath: "#", problems });
  return problems;
}

function check(place: Place): void {
  const { shape, value } = place;
  if (shape.type !== undefined && !hasType(value, shape.type)) report(place, "type", { type: shape.type });
  if (typeof value === "number" && Number.isFinite(value)) checkNumber(place, value);
  if (typeof value === "string") checkText(place, value);
  if ("const" in shape && value !== shape.const) report(place, "const", { allowedValue: shape.const });
  if (shape.enum !== undefined && !shape.enum.includes(value)) report(place, "enum", { allowedValues: shape.enum });
  if (shape.anyOf !== undefined) checkUnion(place, shape.anyOf);
  if (Array.isArray(value)) checkList(place, value);
  else if (typeof value === "object" && value !== null) checkMap(place, value as Readonly<Record<string, unknown>>);
}

function report({ shape, instancePath, schemaPath, problems }: Place, keyword: keyof Shape, params: ShapeProblem["params"]): void {
  problems.push({ instancePath, schemaPath: `${schemaPath}/${keyword}`, keyword, params, shape });
}

function hasType(value: unknown, type: string | readonly string[]): boolean {
  return typeof type === "string" ? isOfType(value, type) : type.some((one) => isOfType(value, one));
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "array":
      return Array.isArray(value);
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value);
    case "number":
      return Number.isFinite(value);
    default:
      // `string` and `boolean` are also names of JavaScript types.
      return typeof value === type;
  }
}

function checkNumber(place: Place, value: number): void {
  const { minimum, maximum } = place.shape;
  if (maximum !== undefined && value > maximum) report(place, "maximum", { comparison: "<=", limit: maximum });
  if (minimum !== undefined && value < minimum) report(place, "minimum", { comparison: ">=", limit: minimum });
}

function checkText(place: Place, value: string): void {
  const { minLength, maxLength, pattern } = place.shape;
  // Lengths count characters, not UTF-16 units.
  if (maxLength !== undefined && value.length > maxLength && [...value].length > maxLength)
    report(place, "maxLength", { limit: maxLength });
  if (minLength !== undefined && value.length < 2 * minLength && [...value].length < minLength)
    report(place, "minLength", { limit: minLength });
  if (pattern !== undefined && !compiled(pattern).test(value)) report(place, "pattern", { pattern });
}

const patterns = new Map<string, RegExp>();

function compiled(pattern: string): RegExp {
  let expression = patterns.get(pattern);
  if (expression === undefined) {
    expression = new RegExp(pattern, "u");
    patterns.set(pattern, expression);
  }
  return expression;
}

function checkUnion(place: Place, branches: readonly Shape[]): void {
  const tried: ShapeProblem[] = [];
  for (const [index, shape] of branches.entries()) {
    const problems: ShapeProblem[] = [];
    check({ ...place, shape, schemaPath: `${place.schemaPath}/anyOf/${index}`, problems });
    if (problems.length === 0) return;
    tried.push(...problems);
  }
  place.problems.push(...tried);
  report(place, "anyOf", {});
}

function checkList(place: Place, list: readonly unknown[]): void {
  const { minItems, uniqueItems, items } = place.shape;
  if (minItems !== undefined && list.length < minItems) report(place, "minItems", { limit: minItems });
  if (items !== undefined) for (const [index, value] of list.entries()) checkMember(place, items, "items", value, index);
  if (uniqueItems === true) checkUnique(place, list);
}

/** Reports one pair of equal strings: the last one. */
function checkUnique(place: Place, list: readonly unknown[]): void {
  const seen = new Map<unknown, number>();
  for (let index = list.length - 1; index >= 0; index--) {
    const value = list[index];
    if (typeof value !== "string") continue;
    const again = seen.get(value);
    if (again !== undefined) {
      report(place, "uniqueItems", { i: index, j: again });
      return;
    }
    seen.set(value, index);
  }
}

function checkMap(place: Place, map: Readonly<Record<string, unknown>>): void {
  const { minProperties, required = [], properties = {}, patternProperties = {}, additionalProperties } = place.shape;
  const keys = Object.keys(map);
  if (minProperties !== undefined && keys.length < minProperties) report(place, "minProperties", { limit: minProperties });
  for (const missingProperty of required) if (!Object.hasOwn(map, missingProperty)) report(place, "required", { missingProperty });
  const byPattern = Object.entries(patternProperties);
  const isKnown = (key: string) => Object.hasOwn(properties, key) || byPattern.some(([pattern]) => compiled(pattern).test(key));
  if (additionalProperties === false)
    for (const key of keys) if (!isKnown(key)) report(place, "additionalProperties", { additionalProperty: key });
  for (const [key, shape] of Object.entries(properties))
    if (Object.hasOwn(map, key)) checkMember(place, shape, `properties/${escaped(key)}`, map[key], key);
  for (const [pattern, shape] of byPattern)
    for (const key of keys)
      if (compiled(pattern).test(key)) checkMember(place, shape, `patternProperties/${escaped(pattern)}`, map[key], key);
}

function checkMember(place: Place, shape: Shape, keyword: string, value: unknown, key: string | number): void {
  const { instancePath, schemaPath, problems } = place;
  const part = typeof key === "number" ? key : escaped(key);
  check({ shape, value, instancePath: `${instancePath}/${part}`, schemaPath: `${schemaPath}/${keyword}`, problems });
}

function escaped(key: string): string {
  return /[~/]/.test(key) ? key.replaceAll("~", "~0").replaceAll("/", "~1") : key;
}
