/** JSONPath (RFC 9535) over a text of a step. A query can select far more than the text contains, so it runs in the evaluation thread. */
import { isDeepStrictEqual } from "node:util";
import { query } from "jsonpath-rfc9535";
import parseJsonPath, { type JsonPathQuery } from "jsonpath-rfc9535/parser";
import type { Evaluations, JsonPathComparison } from "../core/evaluation.ts";
import type { JsonValue } from "../core/json.ts";

/** Characters of a value that an answer contains; a longer one is shortened to text. */
const longestValue = 10_000;

/** Compares what `path` selects with `expected`: the one value of a singular query, the list of values of any other. */
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

/** Whether a path can match one node at most (RFC 9535, singular queries). */
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
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : value;
}
