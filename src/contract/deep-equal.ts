/** Equality of JSON values, as ajv compares them. */
import equalModule from "ajv/dist/runtime/equal.js";

// CommonJS: under Node its function is the default of the default.
const module = equalModule as unknown as { readonly default?: unknown };

export const equal = (module.default ?? module) as (a: unknown, b: unknown) => boolean;
