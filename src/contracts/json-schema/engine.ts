/**
 * Compiles schemas and evaluates artifacts for the `json_schema` contract. It is a separate chunk, loaded in the evaluation
 * thread. It does not read files or the network.
 */

import type { ErrorObject, ValidateFunction } from "ajv";
import { defined } from "../../core/defined.ts";
import type { Digest } from "../../core/digest.ts";
import { digestOfValue } from "../../core/digest.ts";
import type { Violation } from "../../core/failure.ts";
import type { ContractFile, ContractOutcome, ContractProblem } from "../../core/ports.ts";
import { unlisted } from "../../core/violation-count.ts";
import { exactNumberAt } from "../json-numbers.ts";
import { decodeUtf8, type JsonPositions, jsonPositions, pointerSegments, readJson } from "../json-source.ts";
import { evaluatorOf } from "./dialect.ts";
import { gatherSchemas } from "./schema-graph.ts";
import { describeError, relevantErrors } from "./violation-text.ts";

/** A compiled schema, or the problems that prevent it. */
type Compiled =
  | { readonly validate: ValidateFunction; readonly problems: readonly [] }
  | { readonly validate?: never; readonly problems: readonly ContractProblem[] };

/** Maximum number of violations in a verdict. A note counts the others. */
const maxViolations = 100;

/** Maximum number of errors that are described: texts and positions cost more than the evaluation. */
const maxErrors = 2000;

/** Maximum number of cached schemas. A run needs only a few. */
const maxCompiled = 256;

const compiled = new Map<Digest, Compiled>();
const listings = new WeakMap<ReadonlyMap<string, ContractFile>, Digest>();

/** The problems of a schema file and of all schemas it refers to. Empty if it can be evaluated. */
export function schemaProblems(path: string, files: ReadonlyMap<string, ContractFile>): readonly ContractProblem[] {
  return compile(path, files).problems;
}

/** Evaluates an artifact. `artifact` is its name in violations. The verdict for an invalid schema is `error`. */
export function evaluate(path: string, files: ReadonlyMap<string, ContractFile>, bytes: Uint8Array, artifact: string): ContractOutcome {
  const { validate, problems } = compile(path, files);
  if (validate === undefined)
    return {
      verdict: "error",
      violations: problems.map(({ message, location }) => ({ message, rule: "schema", ...defined({ location }) })),
    };
  const text = decodeUtf8(bytes);
  const parsed = text.ok ? readJson(text.value) : text;
  if (!parsed.ok || !text.ok) {
    const { message, line, column } = parsed.ok ? { message: "", line: 1, column: 1 } : parsed.error;
    return { verdict: "fail", violations: [{ message, rule: "json", location: { file: artifact, line, column } }] };
  }
  const holder = parsed.value;
  const { value } = holder;
  try {
    const root = { instancePath: "", parentData: holder, parentDataProperty: "value", rootData: value as never, dynamicAnchors: {} };
    if (validate(value, root)) return { verdict: "pass", violations: [] };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return {
      verdict: "fail",
      violations: [
        {
          message: "the JSON is nested too deeply to be checked",
          rule: "json",
          pointer: "",
          location: { file: artifact, line: 1, column: 1 },
        },
      ],
    };
  }
  return { verdict: "fail", violations: violationsOf(validate.errors ?? [], holder, jsonPositions(text.value), artifact) };
}

function violationsOf(errors: readonly ErrorObject[], holder: object, positions: JsonPositions, artifact: string): readonly Violation[] {
  const unique = new Map<string, Violation & { location: { line: number; column: number } }>();
  for (const error of relevantErrors(errors.slice(0, maxErrors))) {
    const { message, pointer, atKey } = describeError({ ...error, data: exactAt(holder, error) ?? error.data });
    const segments = pointerSegments(pointer);
    const position = atKey ? positions.keyAt(segments) : positions.valueAt(segments);
    unique.set(`${pointer}\n${message}`, { message, pointer, location: { file: artifact, ...position }, rule: error.keyword });
  }
  const violations = [...unique.values()].sort((a, b) => a.location.line - b.location.line || a.location.column - b.location.column);
  const total = violations.length + Math.max(0, errors.length - maxErrors);
  if (total <= maxViolations) return violations;
  const kept = violations.slice(0, maxViolations - 1);
  return [...kept, unlisted(total - kept.length)];
}

/** The exact number at fault. Undefined if its double is exact. */
function exactAt(holder: object, { instancePath, data }: ErrorObject): unknown {
  if (typeof data !== "number") return undefined;
  let container: unknown = holder;
  let key = "value";
  for (const segment of pointerSegments(instancePath)) {
    container = (container as Record<string, unknown> | undefined)?.[key];
    key = segment;
  }
  return exactNumberAt(container, key);
}

function compile(path: string, files: ReadonlyMap<string, ContractFile>): Compiled {
  const key = digestOfValue([path, listingOf(files)]);
  const cached = compiled.get(key);
  if (cached !== undefined) return cached;
  const fresh = compileFresh(path, files);
  const [oldest] = compiled.keys();
  if (compiled.size >= maxCompiled && oldest !== undefined) compiled.delete(oldest);
  compiled.set(key, fresh);
  return fresh;
}

function compileFresh(path: string, files: ReadonlyMap<string, ContractFile>): Compiled {
  try {
    const { graph, problems } = gatherSchemas(path, files);
    if (graph === undefined) return { problems };
    const evaluator = evaluatorOf(graph.dialect);
    // Registers all schemas before it compiles one, because references can be circular.
    for (const [uri, schema] of graph.schemas) evaluator.addSchema(schema as object, uri);
    const validate = evaluator.getSchema([...graph.schemas.keys()][0] ?? "");
    if (validate === undefined) throw new Error("its root is not found");
    // A `$ref` cycle compiles, but evaluating a value of its type never ends.
    for (const value of [null, 1, "", [], {}]) validate(value);
    return { validate, problems: [] };
  } catch (error) {
    const detail =
      error instanceof RangeError
        ? "it is nested too deeply, or a `$ref` refers to itself"
        : error instanceof Error
          ? error.message
          : String(error);
    return { problems: [{ message: `the schema \`${path}\` does not compile: ${detail}`, location: { file: path, line: 1, column: 1 } }] };
  }
}

/** A digest of all files, because a schema can refer to any of them. */
function listingOf(files: ReadonlyMap<string, ContractFile>): Digest {
  const listing = listings.get(files) ?? digestOfValue([...files.values()].map(({ path, digest }) => [path, digest]).sort());
  listings.set(files, listing);
  return listing;
}
