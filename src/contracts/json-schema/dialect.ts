/**
 * The supported drafts of JSON Schema, with an evaluator for each. `$schema` names the draft of a schema. It defaults to
 * 2020-12, the newest.
 */
import { Ajv, type Options } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { useDecimals } from "./decimal-keywords.ts";
import { compilePattern } from "./schema-pattern.ts";

export type Dialect = "draft-07" | "2019-09" | "2020-12";

/** The `$schema` URI of each draft. */
export const dialectUris: Readonly<Record<Dialect, string>> = {
  "draft-07": "http://json-schema.org/draft-07/schema#",
  "2019-09": "https://json-schema.org/draft/2019-09/schema",
  "2020-12": "https://json-schema.org/draft/2020-12/schema",
};

export const dialects = Object.keys(dialectUris) as readonly Dialect[];

/** The draft of a `$schema` URI; undefined if unknown. The scheme (`http`, `https`) and an empty fragment do not matter. */
export function dialectOf(uri: string): Dialect | undefined {
  return dialects.find((dialect) => plain(dialectUris[dialect]) === plain(uri));
}

/** Whether a URI without fragment is one of the draft's meta-schemas, which the evaluator contains. */
export function isMetaSchema(uri: string, dialect: Dialect): boolean {
  const bare = plain(uri);
  const own = plain(dialectUris[dialect]);
  return bare === own || (dialect !== "draft-07" && bare.startsWith(own.replace(/schema$/, "meta/")));
}

/** An evaluator that asserts formats, collects all errors, ignores unknown keywords, and prints nothing. */
export function evaluatorOf(dialect: Dialect): Ajv {
  const evaluator = create(dialect);
  useDecimals(evaluator);
  // ajv-formats is CommonJS: in Node, its function is `default.default`.
  const addFormats = "default" in formats && typeof formats.default === "function" ? formats.default : formats;
  addFormats(evaluator as Parameters<typeof addFormats>[0]);
  return evaluator;
}

function create(dialect: Dialect): Ajv {
  switch (dialect) {
    case "draft-07":
      // Draft-07, section 8.3: keywords next to `$ref` are ignored.
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
  // Schemas were already checked against their draft, with positions.
  validateSchema: false,
  // `toString` and `__proto__` are ordinary names.
  ownProperties: true,
  addUsedSchema: false,
  code: { regExp: patternEngine },
};

function plain(uri: string): string {
  return uri.replace(/^https?:/, "").replace(/#$/, "");
}
