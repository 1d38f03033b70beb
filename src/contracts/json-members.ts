/**
 * Scans a valid JSON text again: stores numbers that doubles cannot represent, and finds duplicate keys and extreme
 * exponents, which other parsers may read differently. Linear time, any depth of nesting.
 */
import { findNodeAtOffset, type Node, parseTree } from "jsonc-parser";
import { largestExponent, storeExactNumber } from "./json-numbers.ts";

/** A problem and its offset in the text. */
export interface MemberProblem {
  readonly message: string;
  readonly offset: number;
}

interface Frame {
  /** Offset of the container in the text. */
  readonly start: number;
  /** The container parsed by `JSON.parse`; another value if a later member of the same name replaced it. */
  readonly container: unknown;
  readonly isArray: boolean;
  key: string;
  expectsKey: boolean;
  members: number;
}

const numberToken = /-?\d+(?:\.\d+)?(?:[eE]([+-]?\d+))?/y;

/** Numbers up to this length without an exponent survive the conversion to a double. */
const plainLength = 15;

/** Scans `text`, whose parsed value is `holder.value`. Returns the first problem in the text. */
export function inspectMembers(text: string, holder: { value: unknown }): MemberProblem | undefined {
  const stack: Frame[] = [];
  let top: Frame = { start: 0, container: holder, isArray: false, key: "value", expectsKey: false, members: 0 };
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      if (top.expectsKey) {
        top.key = keyOf(text.slice(at, end + 1));
        top.expectsKey = false;
        top.members += 1;
      }
      at = end;
    } else if (character === "{" || character === "[") {
      const isArray = character === "[";
      stack.push(top);
      top = { start: at, container: memberOf(top), isArray, key: isArray ? "0" : "", expectsKey: !isArray, members: 0 };
    } else if (character === ",") {
      if (top.isArray) top.key = String(Number(top.key) + 1);
      else top.expectsKey = true;
    } else if (character === "}" || character === "]") {
      if (!top.isArray && isContainer(top.container) && Object.keys(top.container).length < top.members)
        return duplicateIn(text, top.start);
      top = stack.pop() ?? top;
    } else if (character === "-" || (character !== undefined && character >= "0" && character <= "9")) {
      numberToken.lastIndex = at;
      const [token = "", exponent = "0"] = numberToken.exec(text) ?? [];
      if (Math.abs(Number(exponent)) > largestExponent)
        return { message: `the number \`${shortened(token)}\` has an exponent beyond ±${largestExponent}`, offset: at };
      if ((token.length > plainLength || exponent !== "0") && isContainer(top.container)) storeExactNumber(top.container, top.key, token);
      at += token.length - 1;
    }
  }
  return undefined;
}

function memberOf({ container, key }: Frame): unknown {
  return isContainer(container) && Object.hasOwn(container, key) ? container[key] : undefined;
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function keyOf(literal: string): string {
  return literal.includes("\\") ? (JSON.parse(literal) as string) : literal.slice(1, -1);
}

/** The offset of the quote that closes a string. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end;
  }
}

function duplicateIn(text: string, start: number): MemberProblem {
  const seen = new Set<unknown>();
  for (const property of objectAt(text, start)?.children ?? []) {
    const key = property.children?.[0];
    if (seen.has(key?.value))
      return { message: `the key \`${shortened(String(key?.value))}\` occurs twice in one object`, offset: key?.offset ?? start };
    seen.add(key?.value);
  }
  return { message: "a key occurs twice in one object", offset: start };
}

function objectAt(text: string, start: number): Node | undefined {
  try {
    const tree = parseTree(text);
    return tree === undefined ? undefined : findNodeAtOffset(tree, start, true);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
