/**
 * Describes the evaluator's errors: the value, the expectation and a suggestion. Used for artifacts and for schemas that are
 * invalid in their draft.
 */

import type { ErrorObject } from "ajv";
import { counted } from "../../text/quantity.ts";
import { closest } from "../../text/suggest.ts";
import { ExactNumber } from "../json-numbers.ts";
import { pointerSegment } from "../json-source.ts";

/** A described error. */
export interface DescribedError {
  readonly message: string;
  /** JSON pointer to the value at fault, or to the member whose key is not allowed. */
  readonly pointer: string;
  /** Whether the key is at fault, not its value. */
  readonly atKey: boolean;
}

/** Drops errors without information for the reader: those of `if`, and of branches whose own errors are listed. */
export function relevantErrors(errors: readonly ErrorObject[]): ErrorObject[] {
  return errors.filter((error, index) => {
    if (error.keyword === "if" || error.keyword === "propertyNames") return errors.length === 1;
    // A branch's type error adds nothing: the branch note names all types, and other errors show the intended branch.
    if (error.keyword === "type")
      return !errors.some((other, at) => at > index && isBranchNote(other) && other.instancePath === error.instancePath);
    if (isBranchNote(error)) return !errors.slice(0, index).some((other) => isWithin(other, error.instancePath));
    return true;
  });
}

function isBranchNote(error: ErrorObject): boolean {
  return error.keyword === "anyOf" || (error.keyword === "oneOf" && !Array.isArray(error.params["passingSchemas"]));
}

function isWithin(error: ErrorObject, path: string): boolean {
  return (error.instancePath === path && error.keyword !== "type" && !isBranchNote(error)) || error.instancePath.startsWith(`${path}/`);
}

/** Describes one error. */
export function describeError(error: ErrorObject): DescribedError {
  const { instancePath } = error;
  const extra = extraKey(error);
  if (extra !== undefined)
    return { message: describeExtraKey(error, extra), pointer: `${instancePath}/${pointerSegment(extra)}`, atKey: true };
  if (error.propertyName !== undefined) {
    const key = error.propertyName;
    return {
      message: `the key \`${key}\` is not allowed: ${describeValueError(error)}`,
      pointer: `${instancePath}/${pointerSegment(key)}`,
      atKey: true,
    };
  }
  return { message: describeValueError(error), pointer: instancePath, atKey: false };
}

function extraKey({ keyword, params }: ErrorObject): string | undefined {
  const key =
    keyword === "additionalProperties"
      ? params["additionalProperty"]
      : keyword === "unevaluatedProperties"
        ? params["unevaluatedProperty"]
        : undefined;
  return typeof key === "string" ? key : undefined;
}

function describeExtraKey(error: ErrorObject, key: string): string {
  const allowed = Object.keys((error.parentSchema?.["properties"] as object | undefined) ?? {});
  return `the key \`${key}\` is not allowed here${listed("; allowed: ", allowed)}${meant(
    key,
    allowed.filter((name) => !hasKey(error.data, name)),
  )}`;
}

function describeValueError(error: ErrorObject): string {
  const { keyword, params, data } = error;
  const found = show(data);
  switch (keyword) {
    case "type":
      return `expected ${orList(params["type"])}, found ${describe(data)}`;
    case "required":
    case "dependentRequired":
    case "dependencies":
      return describeMissingKey(error);
    case "enum":
      return `found ${found}${listed(", expected one of ", params["allowedValues"], show)}${meant(data, params["allowedValues"])}`;
    case "const":
      return `found ${found}, expected ${show(params["allowedValue"])}`;
    case "format":
      return `found ${found}, which is not a valid \`${params["format"]}\``;
    case "pattern":
      return `found ${found}, which does not match \`${params["pattern"]}\``;
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
      return `found ${found}, expected ${params["comparison"]} ${params["limit"]}`;
    case "multipleOf":
      return `found ${found}, expected a multiple of ${params["multipleOf"]}`;
    default:
      return describeSizeError(error) ?? describeShapeError(error);
  }
}

/** Errors of keywords that limit a number of characters, items or keys. */
function describeSizeError({ keyword, params, data }: ErrorObject): string | undefined {
  const limit = Number(params["limit"]);
  switch (keyword) {
    case "minLength":
    case "maxLength":
      return `found ${show(data)}, which has ${counted([...String(data)].length, "character")}; expected ${keyword === "minLength" ? "at least" : "at most"} ${limit}`;
    case "minItems":
    case "maxItems":
      return `found ${describe(data)}; expected ${keyword === "minItems" ? "at least" : "at most"} ${limit}`;
    case "items":
    case "additionalItems":
    case "unevaluatedItems":
      return Number.isNaN(limit)
        ? undefined
        : `found ${describe(data)}; nothing is allowed after ${limit === 0 ? "the start" : `the first ${limit}`}`;
    case "minProperties":
    case "maxProperties":
      return `found ${describe(data)}; expected ${keyword === "minProperties" ? "at least" : "at most"} ${limit}`;
    case "uniqueItems":
      return `items ${[Number(params["i"]), Number(params["j"])].sort((a, b) => a - b).join(" and ")} are equal, but items must be unique`;
    case "contains": {
      const { minContains: min, maxContains: max } = params;
      return `expected ${max === undefined ? `at least ${counted(Number(min), "item")}` : `${min} to ${counted(Number(max), "item")}`} of the required shape among ${describe(data)}`;
    }
    default:
      return undefined;
  }
}

function describeShapeError({ keyword, params, data, message, schema }: ErrorObject): string {
  switch (keyword) {
    case "anyOf":
      return describeBranches(schema, data);
    case "oneOf":
      return Array.isArray(params["passingSchemas"])
        ? `found ${describe(data)}, which has ${params["passingSchemas"].length} of the allowed shapes at once (number ${params["passingSchemas"].map((index) => Number(index) + 1).join(" and ")}); exactly one is expected`
        : describeBranches(schema, data);
    case "not":
      return `found ${show(data)}, which \`not\` forbids`;
    case "false schema":
      return `found ${describe(data)}, where no value is allowed`;
    default:
      return `${message ?? "is not valid"} (\`${keyword}\`)`;
  }
}

/** For a value that matches no branch: lists the branches' types, if each of them has a type. */
function describeBranches(branches: unknown, data: unknown): string {
  const types = [branches]
    .flat()
    .map((branch) => (typeof branch === "object" && branch !== null && "type" in branch ? branch.type : undefined));
  if (types.includes(undefined)) return `found ${describe(data)}, which does not match any allowed schema`;
  return `expected ${orList([...new Set(types.flat())])}, found ${describe(data)}`;
}

function describeMissingKey({ params, data, parentSchema }: ErrorObject): string {
  const missing = String(params["missingProperty"]);
  const because = typeof params["property"] === "string" ? `, which \`${params["property"]}\` requires` : "";
  const declared = Object.keys((parentSchema?.["properties"] as object | undefined) ?? {});
  const present = typeof data === "object" && data !== null ? Object.keys(data).filter((key) => !declared.includes(key)) : [];
  const guess = closest(missing, present);
  return `the key \`${missing}\` is missing${because}${guess === undefined ? "" : `; is \`${guess}\` a typo of it?`}`;
}

/** A value as JSON if it is short, else a description. */
function show(value: unknown): string {
  if (value instanceof ExactNumber) return `\`${value.text}\``;
  if (typeof value === "string") return `\`${JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)}\``;
  if (typeof value !== "object" || value === null) return `\`${JSON.stringify(value)}\``;
  return describe(value);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : `an array of ${counted(value.length, "item")}`;
  if (value === null) return "`null`";
  if (value instanceof ExactNumber) return `the number ${show(value)}`;
  if (typeof value === "object") {
    const size = Object.keys(value).length;
    return size === 0 ? "an empty object" : `an object with ${counted(size, "key")}`;
  }
  return `the ${typeof value} ${show(value)}`;
}

function orList(types: unknown): string {
  const list = Array.isArray(types) ? types.map(String) : String(types).split(",");
  return list.map((type) => (type === "null" ? "`null`" : `${/^[aeio]/.test(type) ? "an" : "a"} ${type}`)).join(" or ");
}

function meant(found: unknown, allowed: unknown): string {
  if (typeof found !== "string" || !Array.isArray(allowed)) return "";
  const guess = closest(
    found,
    allowed.filter((value) => typeof value === "string"),
  );
  return guess === undefined ? "" : `; did you mean \`${guess}\`?`;
}

/** Lists at most ten values. */
function listed(lead: string, values: unknown, word: (value: unknown) => string = (value) => `\`${String(value)}\``): string {
  if (!Array.isArray(values) || values.length === 0) return "";
  const rest = values.length > 10 ? ` and ${values.length - 10} more` : "";
  return `${lead}${values.slice(0, 10).map(word).join(", ")}${rest}`;
}

function hasKey(value: unknown, key: string): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key);
}
