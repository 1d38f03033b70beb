/**
 * Strict JSON parsing with positions: errors have a line and a column, and a JSON pointer can be located in the text. Nothing
 * is repaired: comments, trailing commas and bytes that are not UTF-8 are errors.
 */

import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { defined } from "../core/defined.ts";
import type { Position } from "../core/document.ts";
import type { JsonValue } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import { inspectMembers } from "./json-members.ts";

/** Why a text is not JSON, with the position. */
export interface JsonProblem extends Position {
  readonly message: string;
}

/** Locates values in one JSON text. */
export interface JsonPositions {
  /** Position of the value at a path, or of its nearest existing ancestor. */
  valueAt(path: readonly string[]): Position;
  /** Position of a member's key; the same as `valueAt` if there is no key. */
  keyAt(path: readonly string[]): Position;
}

/** Decodes UTF-8. Fails at the first invalid byte, or at a byte order mark, which JSON must not have (RFC 8259, section 8.1). */
export function decodeUtf8(bytes: Uint8Array): Result<string, JsonProblem> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.startsWith("\ufeff") ? err({ message: "the text starts with a byte order mark", line: 1, column: 1 }) : ok(text);
  } catch {
    const valid = validPrefix(bytes);
    const at = positions(new TextDecoder().decode(bytes.subarray(0, valid)));
    const byte = (bytes[valid] ?? 0).toString(16).padStart(2, "0");
    return err({ message: `the text is not UTF-8: byte 0x${byte} at offset ${valid}`, ...at(Number.POSITIVE_INFINITY) });
  }
}

/** Parses strict JSON. The last one of duplicate keys wins, as in `JSON.parse`. */
export function parseJson(text: string): Result<JsonValue, JsonProblem> {
  try {
    return ok(JSON.parse(text) as JsonValue);
  } catch (error) {
    return err(locateSyntaxError(text, error));
  }
}

/**
 * Parses strict JSON. Fails for duplicate keys and extreme exponents. Numbers that doubles cannot represent are stored
 * (`json-numbers.ts`) by their container, so the root `value` has a container too.
 */
export function readJson(text: string): Result<{ readonly value: JsonValue }, JsonProblem> {
  const parsed = parseJson(text);
  if (!parsed.ok) return parsed;
  const holder = { value: parsed.value };
  const problem = inspectMembers(text, holder);
  return problem === undefined ? ok(holder) : err({ message: problem.message, ...positions(text)(problem.offset) });
}

/** Locates values in a valid text. In a text that is nested too deeply, every value is located at the start. */
export function jsonPositions(text: string): JsonPositions {
  let tree: Node | undefined;
  try {
    tree = parseTree(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const at = positions(text);
  const positionOf = (node: Node | undefined) => at(node?.offset ?? 0);
  return {
    valueAt: (path) => positionOf(nearest(tree, path).node),
    keyAt: (path) => {
      const { node, key, depth } = nearest(tree, path);
      return positionOf(depth === path.length && key !== undefined ? key : node);
    },
  };
}

/** The segments of a JSON pointer (RFC 6901). */
export function pointerSegments(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Escapes one segment of a JSON pointer. */
export function pointerSegment(segment: string): string {
  return segment.replaceAll("~", "~0").replaceAll("/", "~1");
}

function nearest(tree: Node | undefined, path: readonly string[]): { node: Node | undefined; key?: Node; depth: number } {
  let node = tree;
  let key: Node | undefined;
  let depth = 0;
  for (const segment of path) {
    const member: Member | undefined = node === undefined ? undefined : memberOf(node, segment);
    if (member === undefined) break;
    node = member.value;
    key = member.key;
    depth += 1;
  }
  return { node, depth, ...defined({ key }) };
}

interface Member {
  readonly value: Node;
  readonly key?: Node;
}

function memberOf(node: Node, segment: string): Member | undefined {
  if (node.type === "array") {
    const value = node.children?.[Number(segment)];
    return value === undefined ? undefined : { value };
  }
  if (node.type !== "object") return undefined;
  const property = node.children?.findLast((child) => child.children?.[0]?.value === segment);
  const [key, value] = property?.children ?? [];
  return key === undefined || value === undefined ? undefined : { key, value };
}

/** Returns a function that converts offsets to lines and columns. */
function positions(text: string): (offset: number) => Position {
  const starts = [0];
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) starts.push(end + 1);
  return (offset) => {
    const target = Math.min(offset, text.length);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= target) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: target - (starts[low] ?? 0) + 1 };
  };
}

/** Number of valid UTF-8 bytes at the start. A prefix that ends inside a character counts as valid, so binary search works. */
function validPrefix(bytes: Uint8Array): number {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (decodes(bytes.subarray(0, middle))) low = middle;
    else high = middle - 1;
  }
  // Names the first byte of an incomplete character.
  while (low > 0 && !decodes(bytes.subarray(0, low), false)) low -= 1;
  return low;
}

function decodes(bytes: Uint8Array, stream = true): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream });
    return true;
  } catch {
    return false;
  }
}

function locateSyntaxError(text: string, error: unknown): JsonProblem {
  const at = positions(text);
  if (text.trim() === "") return { message: "the text is empty", ...at(0) };
  const errors: ParseError[] = [];
  try {
    parseTree(text, errors, { disallowComments: true });
  } catch (deep) {
    if (!(deep instanceof RangeError)) throw deep;
  }
  const first = errors[0];
  if (first === undefined) return { message: `the text is not JSON: ${error instanceof Error ? error.message : String(error)}`, ...at(0) };
  const found = text.slice(first.offset, first.offset + Math.min(Math.max(first.length, 1), 20));
  return {
    message: `the text is not JSON: ${wording[printParseErrorCode(first.error)]}${found === "" ? " at the end of the text" : `, found \`${found}\``}`,
    ...at(first.offset),
  };
}

const wording: Readonly<Record<ReturnType<typeof printParseErrorCode>, string>> = {
  InvalidSymbol: "a value is unquoted or unknown",
  InvalidNumberFormat: "a number is malformed",
  PropertyNameExpected: "a key in double quotes is expected",
  ValueExpected: "a value is expected",
  ColonExpected: "`:` is expected",
  CommaExpected: "`,` is expected",
  CloseBraceExpected: "`}` is expected",
  CloseBracketExpected: "`]` is expected",
  EndOfFileExpected: "the text should end here",
  InvalidCommentToken: "comments are not JSON",
  UnexpectedEndOfComment: "comments are not JSON",
  UnexpectedEndOfString: "a string is not closed",
  UnexpectedEndOfNumber: "a number is malformed",
  InvalidUnicode: "a `\\u` escape is malformed",
  InvalidEscapeCharacter: "a string contains an unknown escape",
  InvalidCharacter: "a string contains a control character",
  "<unknown ParseErrorCode>": "it is malformed",
};
