/**
 * Replaces Ajv's keywords for numbers and equality by ones that compare exact decimals instead of doubles, and values in
 * linear time. Names and error parameters are the same as Ajv's.
 */

import type { Ajv } from "ajv";
import type { DataValidateFunction } from "ajv/dist/types/index.js";
import { defined } from "../../core/defined.ts";
import { canonicalText, compareDecimals, type Decimal, decimalAt, exactNumberAt, isMultipleOf } from "../json-numbers.ts";

/** The container and the key of a value. */
interface MemberOf {
  readonly parentData?: unknown;
  readonly parentDataProperty: string | number;
}

/** Returns the error's parameters, or undefined if the value is valid. */
type Check = (data: never, at: MemberOf) => Record<string, unknown> | undefined;

const comparisons = {
  maximum: { comparison: "<=", isValid: (order: number) => order <= 0 },
  minimum: { comparison: ">=", isValid: (order: number) => order >= 0 },
  exclusiveMaximum: { comparison: "<", isValid: (order: number) => order < 0 },
  exclusiveMinimum: { comparison: ">", isValid: (order: number) => order > 0 },
} as const;

/** Replaces the keywords. Call it before the evaluator compiles a schema. */
export function useDecimals(evaluator: Ajv): void {
  const replace = (keyword: string, type: "number" | "array" | undefined, compile: (schema: never, parent: object) => Check) => {
    evaluator.removeKeyword(keyword);
    evaluator.addKeyword({
      keyword,
      ...defined({ type }),
      compile: (schema, parent) => checking(keyword, compile(schema as never, parent)),
    });
  };
  for (const [keyword, { comparison, isValid }] of Object.entries(comparisons)) {
    replace(keyword, "number", (schema: number, parent) => {
      const limit = decimalAt(parent, keyword, schema);
      const params = { comparison, limit: exactNumberAt(parent, keyword)?.text ?? schema };
      return (data: number, at) => (isValid(compareDecimals(decimalOf(data, at), limit)) ? undefined : params);
    });
  }
  replace("multipleOf", "number", (schema: number, parent) => {
    const divisor = decimalAt(parent, "multipleOf", schema);
    const params = { multipleOf: exactNumberAt(parent, "multipleOf")?.text ?? schema };
    return (data: number, at) => (isMultipleOf(decimalOf(data, at), divisor) ? undefined : params);
  });
  replace("const", undefined, (schema: unknown, parent) => {
    const allowed = canonicalText(parent, "const", schema);
    const params = { allowedValue: exactNumberAt(parent, "const") ?? schema };
    return (data: unknown, at) => (canonicalText(at.parentData, at.parentDataProperty, data) === allowed ? undefined : params);
  });
  replace("enum", undefined, (schema: readonly unknown[]) => {
    const allowed = new Set(schema.map((value, index) => canonicalText(schema, index, value)));
    const params = { allowedValues: schema.map((value, index) => exactNumberAt(schema, index) ?? value) };
    return (data: unknown, at) => (allowed.has(canonicalText(at.parentData, at.parentDataProperty, data)) ? undefined : params);
  });
  replace("uniqueItems", "array", (schema: boolean) => (data: readonly unknown[]) => (schema ? duplicateOf(data) : undefined));
}

function decimalOf(data: number, { parentData, parentDataProperty }: MemberOf): Decimal {
  return decimalAt(parentData, parentDataProperty, data);
}

/** The indexes of the first item that equals an earlier one, and of that one. */
function duplicateOf(items: readonly unknown[]): { readonly i: number; readonly j: number } | undefined {
  const seen = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const text = canonicalText(items, index, item);
    const earlier = seen.get(text);
    if (earlier !== undefined) return { i: index, j: earlier };
    seen.set(text, index);
  }
  return undefined;
}

function checking(keyword: string, check: Check): DataValidateFunction {
  const validate: DataValidateFunction = (data: unknown, at: MemberOf = { parentDataProperty: "" }) => {
    const params = check(data as never, at);
    if (params === undefined) return true;
    validate.errors = [{ keyword, params }];
    return false;
  };
  return validate;
}
