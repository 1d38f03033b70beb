/** Evaluates JSONPath (RFC 9535) on a step's text. Runs in the evaluation thread, because a result can be far larger than the text. */
import { isDeepStrictEqual } from "node:util";
import { query } from "jsonpath-rfc9535";
import parseJsonPath, { type JsonPathQuery } from "jsonpath-rfc9535/parser";
import type { Evaluations, JsonPathComparison } from "../core/evaluation.ts";
import type { JsonValue } from "../core/json.ts";

/** Maximum length of a returned value as JSON, in characters. Longer ones become a shortened text. */
const maxValue = 10_000;

/** Compares the result of `path` with `expected`: the value of a singular query, the list of values of any other. */
export function compareJsonPath({ text, path, expected }: Evaluations["compare-json-path"]["input"]): JsonPathComparison {
  let document: JsonValue;
  try {
    document = JSON.parse(text) as JsonValue;
  } catch {
    return { kind: "not-json" };
  }
  const values = query(document as never, path) as JsonValue[];
  const actual = isSingular(parseJsonPath(path)) ? values[0] : values;
  if (isDeepStrictEqual(expected, actual)) return { kind: "equal" };
  return actual === undefined ? { kind: "different" } : { kind: "different", actual: shortened(actual) };
}

/** Whether a path can match at most one node (RFC 9535, singular queries). */
function isSingular({ segments }: JsonPathQuery): boolean {
  return segments.every(({ type, node }) => {
    if (type === "DescendantSegment") return false;
    if (node.type !== "BracketedSelection") return node.type === "MemberNameShorthand";
    const [selector] = node.selectors;
    return node.selectors.length === 1 && (selector?.type === "NameSelector" || selector?.type === "IndexSelector");
  });
}

function shortened(value: JsonValue): JsonValue {
  const text = JSON.stringify(value);
  return text.length > maxValue ? `${text.slice(0, maxValue)}…` : value;
}
