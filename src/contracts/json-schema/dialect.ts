/**
 * The drafts of JSON Schema that wave knows, and an evaluator for each. A schema says its draft by `$schema`; without it,
 * it is read as 2020-12, the newest.
 */
import { Ajv, type Options } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { useDecimals } from "./decimal-keywords.ts";
import { compilePattern } from "./schema-pattern.ts";

export type Dialect = "draft-07" | "2019-09" | "2020-12";

/** `$schema` of each draft, as documents should write it. */
export const dialectUris: Readonly<Record<Dialect, string>> = {
  "draft-07": "http://json-schema.org/draft-07/schema#",
  "2019-09": "https://json-schema.org/draft/2019-09/schema",
  "2020-12": "https://json-schema.org/draft/2020-12/schema",
};

export const dialects = Object.keys(dialectUris) as readonly Dialect[];

/** The draft that a `$schema` names, or nothing. `http` and `https`, with and without an empty fragment, are the same. */
export function dialectOf(uri: string): Dialect | undefined {
  return dialects.find((dialect) => plain(dialectUris[dialect]) === plain(uri));
}

/** Whether a URI (without its fragment) is one of a draft's own schemas, which the evaluator brings along. */
export function isMetaSchema(uri: string, dialect: Dialect): boolean {
  const bare = plain(uri);
  const own = plain(dialectUris[dialect]);
  return bare === own || (dialect !== "draft-07" && bare.startsWith(own.replace(/schema$/, "meta/")));
}

/** An evaluator with formats asserted, all errors gathered, unknown keywords let be, and nothing printed. */
export function evaluatorOf(dialect: Dialect): Ajv {
  const evaluator = create(dialect);
  useDecimals(evaluator);
  // ajv-formats is CommonJS: under Node its function is the default of the default.
  const addFormats = "default" in formats && typeof formats.default === "function" ? formats.default : formats;
  addFormats(evaluator as Parameters<typeof addFormats>[0]);
  return evaluator;
}

function create(dialect: Dialect): Ajv {
  switch (dialect) {
    case "draft-07":
      // Draft-07, section 8.3: whatever stands beside `$ref` is ignored.
      return new Ajv({ ...common, ignoreKeywordsWithRef: true } as Options);
    case "2019-09":
      return new Ajv2019(common);
    case "2020-12":
      return new Ajv2020(common);
  }
}

const patternEngine = Object.assign((pattern: string) => compilePattern(pattern), { code: "compilePattern" });

const common: Options = {
  strict: false,
  allErrors: true,
  verbose: true,
  logger: false,
  // Schemas are checked against their draft before they get here, with places.
  validateSchema: false,
  // Names such as `toString` or `__proto__` are names like any other.
  ownProperties: true,
  addUsedSchema: false,
  code: { regExp: patternEngine },
};

function plain(uri: string): string {
  return uri.replace(/^https?:/, "").replace(/#$/, "");
}
