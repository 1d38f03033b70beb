/**
 * Reads and indexes schema files: each file's draft, its resources (the root and subschemas with `$id`), their anchors and
 * references. Checks each file against its draft, so that every problem has a line. Does not follow references;
 * `schema-graph.ts` does.
 */

import type { ValidateFunction } from "ajv";
import { defined } from "../../core/defined.ts";
import type { ContractFile, ContractProblem } from "../../core/ports.ts";
import { closest } from "../../text/suggest.ts";
import { validate as draft2019 } from "../generated/2019-09.js";
import { validate as draft2020 } from "../generated/2020-12.js";
import { validate as draft07 } from "../generated/draft-07.js";
import { jsonPositions, pointerSegment, pointerSegments, readJson } from "../json-source.ts";
import { type Dialect, dialectOf, dialects, dialectUris } from "./dialect.ts";
import { compilePattern } from "./schema-pattern.ts";
import { isSchemaObject, type SchemaObject, walkSchema } from "./schema-walk.ts";
import { describeError, relevantErrors } from "./violation-text.ts";

/** A schema with its own URI: a file's root, or a subschema with `$id`. */
export interface Resource {
  readonly file: SchemaFile;
  /** Path of the schema in its file. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** Absolute, without a fragment. */
  readonly uri: string;
  /** Anchor → JSON pointer relative to this resource. */
  readonly anchors: Map<string, string>;
  /** The anchors from `$dynamicAnchor`, which `$dynamicRef` can refer to. */
  readonly dynamicAnchors: Set<string>;
}

export const referenceKeywords = ["$ref", "$dynamicRef", "$recursiveRef"] as const;

/** A reference and its location. */
export interface Reference {
  readonly keyword: (typeof referenceKeywords)[number];
  readonly resource: Resource;
  readonly schema: SchemaObject;
  readonly path: readonly string[];
  readonly ref: string;
}

export interface SchemaFile {
  readonly path: string;
  /** The draft named by `$schema`. Without it, the file has the draft of the file that refers to it. */
  readonly declared?: Dialect;
  readonly value: unknown;
  readonly resources: readonly Resource[];
  readonly references: readonly Reference[];
  /** All subschemas, for `schema-rewrite.ts`. */
  readonly schemas: readonly SchemaObject[];
  /** Creates a problem at a path in the file. */
  readonly problemAt: (path: readonly string[], message: string, hint?: string) => ContractProblem;
}

/** Maximum number of listed problems per file. Later ones usually follow from earlier ones. */
const maxProblems = 20;

/** The URI of a file without `$id`. `path` is relative to the project's root. */
export function fileUri(path: string): string {
  return `wave:///${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** Reads and indexes a schema file. `dialect` is the default draft. Problems go to `report`. */
export function readSchemaFile(source: ContractFile, dialect: Dialect, report: (problem: ContractProblem) => void): SchemaFile | undefined {
  const parsed = readJson(source.text);
  if (!parsed.ok) {
    const { message, line, column } = parsed.error;
    report({ message: `\`${source.path}\` is not a schema: ${message}`, location: { file: source.path, line, column } });
    return undefined;
  }
  const { value }: { value: unknown } = parsed.value;
  let positions: ReturnType<typeof jsonPositions> | undefined;
  const problemAt: SchemaFile["problemAt"] = (path, message, hint) => {
    positions ??= jsonPositions(source.text);
    return { message, ...defined({ hint }), location: { file: source.path, ...positions.valueAt(path) } };
  };
  const declared = declaredDialect(value);
  if (declared.kind === "unknown") {
    const guess = closest(declared.uri, Object.values(dialectUris));
    const hint =
      guess === undefined
        ? `supported drafts: ${dialects.join(", ")}; without \`$schema\`, the draft is 2020-12`
        : `did you mean \`${guess}\`?`;
    report(problemAt(["$schema"], `\`$schema\` names \`${declared.uri}\`, which is not a supported draft`, hint));
    return undefined;
  }
  const actual = declared.kind === "known" ? declared.dialect : dialect;
  if (!meetsDraft(value, actual, (path, message) => report(problemAt(path, message)))) return undefined;
  return indexSchema({ path: source.path, value, problemAt, ...(declared.kind === "known" ? { declared: actual } : {}) }, actual, report);
}

function declaredDialect(value: unknown): { kind: "known"; dialect: Dialect } | { kind: "unknown"; uri: string } | { kind: "absent" } {
  const uri = isSchemaObject(value) ? value["$schema"] : undefined;
  if (uri === undefined) return { kind: "absent" };
  const dialect = typeof uri === "string" ? dialectOf(uri) : undefined;
  return dialect === undefined ? { kind: "unknown", uri: typeof uri === "string" ? uri : JSON.stringify(uri) } : { kind: "known", dialect };
}

const metaSchemas: Readonly<Record<Dialect, ValidateFunction>> = { "draft-07": draft07, "2019-09": draft2019, "2020-12": draft2020 };

function meetsDraft(value: unknown, dialect: Dialect, report: (path: readonly string[], message: string) => void): boolean {
  if (!isSchemaObject(value) && typeof value !== "boolean") {
    report([], "a schema must be an object, `true` or `false`");
    return false;
  }
  const validate = metaSchemas[dialect];
  if (validate(value)) return true;
  const seen = new Set<string>();
  for (const error of relevantErrors(validate.errors ?? [])) {
    const { message, pointer } = describeError(error);
    const text = `the schema does not meet ${dialect}${pointer === "" ? "" : ` at \`${pointer}\``}: ${message}`;
    if (seen.size < maxProblems && !seen.has(text)) report(pointerSegments(pointer), text);
    seen.add(text);
  }
  return false;
}

function indexSchema(
  read: Omit<SchemaFile, "resources" | "references" | "schemas">,
  dialect: Dialect,
  report: (problem: ContractProblem) => void,
): SchemaFile {
  const { path, value, problemAt } = read;
  const resources: Resource[] = [];
  const references: Reference[] = [];
  const schemas: SchemaObject[] = [];
  const file: SchemaFile = { ...read, resources, references, schemas };
  const resource = (at: readonly string[], schema: unknown, uri: string): Resource => {
    const created = { file, path: at, value: schema, uri, anchors: new Map<string, string>(), dynamicAnchors: new Set<string>() };
    resources.push(created);
    return created;
  };
  if (!isSchemaObject(value)) resource([], value, fileUri(path));
  walkSchema<Resource | undefined>(value, undefined, (schema, at, inherited) => {
    const id = idOf(schema, dialect);
    const base = inherited?.uri ?? fileUri(path);
    const uri = id === undefined || id.startsWith("#") ? undefined : absoluteUri(id, base);
    const own = inherited === undefined || uri !== undefined ? resource(at, schema, uri ?? base) : inherited;
    schemas.push(schema);
    if (typeof schema["$dynamicAnchor"] === "string") own.dynamicAnchors.add(schema["$dynamicAnchor"]);
    for (const anchor of anchorsOf(schema, id))
      own.anchors.set(
        anchor,
        at
          .slice(own.path.length)
          .map((segment) => `/${pointerSegment(segment)}`)
          .join(""),
      );
    for (const keyword of referenceKeywords) {
      const ref = schema[keyword];
      if (typeof ref === "string" && isSupported(dialect, keyword))
        references.push({ keyword, resource: own, schema, path: [...at, keyword], ref });
    }
    for (const problem of localProblems(schema, dialect)) report(problemAt([...at, ...problem.path], problem.message));
    return own;
  });
  return file;
}

function isSupported(dialect: Dialect, keyword: Reference["keyword"]): boolean {
  return (
    keyword === "$ref" || (keyword === "$dynamicRef" && dialect === "2020-12") || (keyword === "$recursiveRef" && dialect === "2019-09")
  );
}

/** Draft-07, section 8.3: an `$id` next to `$ref` is ignored. */
function idOf(schema: SchemaObject, dialect: Dialect): string | undefined {
  const id = schema["$id"];
  return typeof id !== "string" || (dialect === "draft-07" && typeof schema["$ref"] === "string") ? undefined : id;
}

/** `$anchor`, `$dynamicAnchor` and, in draft-07, an `$id` that is only a fragment. */
function anchorsOf(schema: SchemaObject, id: string | undefined): string[] {
  const named = [schema["$anchor"], schema["$dynamicAnchor"]].filter((anchor) => typeof anchor === "string");
  return id?.startsWith("#") === true && id.length > 1 ? [...named, id.slice(1)] : named;
}

/** Problems that the meta-schemas do not detect. */
function localProblems(schema: SchemaObject, dialect: Dialect): { path: readonly string[]; message: string }[] {
  const problems: { path: readonly string[]; message: string }[] = [];
  const pattern = schema["pattern"];
  if (typeof pattern === "string") problems.push(...patternProblem(["pattern"], pattern));
  if (schema["nullable"] === true) {
    problems.push({ path: ["nullable"], message: '`nullable` is not a keyword of JSON Schema; add `"null"` to `type` instead' });
  }
  const patterns = schema["patternProperties"];
  if (isSchemaObject(patterns)) for (const key of Object.keys(patterns)) problems.push(...patternProblem(["patternProperties", key], key));
  for (const keyword of ["unevaluatedItems", "unevaluatedProperties"] as const) {
    const cause = schema[keyword] === undefined || dialect === "draft-07" ? undefined : misread(schema, keyword, false);
    if (cause !== undefined)
      problems.push({
        path: [keyword],
        message: `\`${keyword}\` cannot be evaluated here together with ${cause}; list the allowed values without \`${keyword}\``,
      });
  }
  const declared = declaredDialect(schema);
  if (declared.kind === "unknown" || (declared.kind === "known" && declared.dialect !== dialect)) {
    problems.push({ path: ["$schema"], message: "a subschema must have the same draft as its file" });
  }
  return problems;
}

/**
 * The construct, in a schema or in one that applies to the same value, for which the evaluator computes `unevaluatedItems` or
 * `unevaluatedProperties` wrongly (Ajv 8.20, by the JSON Schema test suite). Such schemas are rejected, because a contract
 * must not pass wrongly.
 */
function misread(schema: SchemaObject, keyword: "unevaluatedItems" | "unevaluatedProperties", nested: boolean): string | undefined {
  if (schema["if"] !== undefined && schema["then"] === undefined) return "an `if` without `then`";
  if (keyword === "unevaluatedItems" && schema["contains"] !== undefined) return "`contains`";
  if (keyword === "unevaluatedItems" && nested && schema["items"] !== undefined) return "`items` in a branch";
  for (const applicator of ["anyOf", "oneOf", "if", "then", "else", "allOf"]) {
    for (const part of [schema[applicator]].flat()) {
      const cause = isSchemaObject(part) ? misread(part, keyword, nested || applicator !== "allOf") : undefined;
      if (cause !== undefined) return cause;
    }
  }
  return undefined;
}

function patternProblem(path: readonly string[], pattern: string): { path: readonly string[]; message: string }[] {
  try {
    compilePattern(pattern);
    return [];
  } catch (error) {
    return [{ path, message: error instanceof Error ? error.message : String(error) }];
  }
}

/** Resolves a URI against a base and drops the fragment. Undefined if it is invalid. */
export function absoluteUri(reference: string, base: string): string | undefined {
  try {
    const url = new URL(reference, base);
    url.hash = "";
    return url.href.replace(/#$/, "");
  } catch {
    return undefined;
  }
}
