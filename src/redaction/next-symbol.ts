/**
 * Determines what the bytes after a secret's first byte can stand for: a quick filter for the usual cases. A superfluous result costs
 * time; a missing one would miss a secret. Pure.
 */
import {
  ampersand,
  backslash,
  blank,
  carriageReturn,
  equalsSign,
  escapeCharacter,
  escapes,
  lineFeed,
  percent,
  plus,
  setOf,
  whitespace,
} from "./alphabets.ts";
import { undecided } from "./match-pattern.ts";
import { endOfBackslashes, endOfSequence, readEscapes } from "./text-escapes.ts";

/** {@link nextSymbol} returns a byte with these bits, {@link unclear}, or `undecided`. */
export const orBlank = 0x100;
export const orBackslash = 0x200;
/** Only {@link symbolsAt} can decide. */
export const unclear = -3;

/** By byte: 1 if it can stand for another byte as the second byte of a secret. */
export const isSpecial = setOf([...escapes, ...whitespace, escapeCharacter, plus]);

const isHex = setOf([...Buffer.from("0123456789abcdefABCDEF")]);
/** After a backslash: letters of escapes with digits, and line ends, which can be skipped. */
const isLongEscape = setOf([...Buffer.from("xuU01234567nr"), lineFeed, carriageReturn]);
const isBlankLetter = setOf([...Buffer.from("tvf")]);
const semicolon = 0x3b;
const longestEntity = 48;
/** The longest line end with indentation that is skipped. */
const longestLineEnd = 66;
/** The most colour codes in a row that are skipped. */
const longestChain = 8;

/** The bytes that the special byte at `at`, with those after it, can stand for. */
export function nextSymbol(bytes: Uint8Array, at: number, last: boolean): number {
  const byte = bytes[at] as number;
  if (byte === escapeCharacter) return afterSequences(bytes, at, last);
  if (byte === backslash) {
    const end = endOfBackslashes(bytes, at);
    if (end >= bytes.length) return last ? backslash : undecided;
    const letter = bytes[end] as number;
    if (isLongEscape[letter] === 1) return unclear;
    return letter | orBackslash | (isBlankLetter[letter] === 1 || isSpecial[letter] === 1 ? orBlank : 0);
  }
  if (byte === equalsSign || byte === percent) return afterMark(bytes, at, byte, last);
  if (byte === ampersand) return isEntity(bytes, at, last);
  return byte | orBlank;
}

function afterMark(bytes: Uint8Array, at: number, byte: number, last: boolean): number {
  const next = bytes[at + 1];
  if (next === undefined) return last ? byte : undecided;
  if (byte === equalsSign && (next === lineFeed || next === carriageReturn)) return unclear;
  if (isHex[next] === 0) return byte;
  const digit = bytes[at + 2];
  if (digit === undefined) return last ? byte : undecided;
  return isHex[digit] === 1 ? unclear : byte;
}

/** An entity ends in a semicolon, unlike most ampersands in URLs and source code. */
function isEntity(bytes: Uint8Array, at: number, last: boolean): number {
  const limit = at + longestEntity;
  for (let end = at + 1; end < limit; end++) {
    if (end >= bytes.length) return last ? ampersand : undecided;
    const byte = bytes[end] as number;
    if (byte === semicolon) return unclear;
    const letter = byte | 0x20;
    if (!((letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x23)) return ampersand;
  }
  return ampersand;
}

function afterSequences(bytes: Uint8Array, at: number, last: boolean): number {
  let end = at;
  for (let count = 0; count < longestChain && bytes[end] === escapeCharacter; count++) {
    const next = endOfSequence(bytes, end + 1, last);
    if (next === "more") return undecided;
    if (next === undefined) return escapeCharacter;
    end = next;
  }
  if (end >= bytes.length) return last ? escapeCharacter : undecided;
  const byte = bytes[end] as number;
  return isSpecial[byte] === 1 ? unclear : byte;
}

/** All bytes that the input at `at` can stand for in a pattern, possibly too many. */
export function symbolsAt(bytes: Uint8Array, at: number, last: boolean, chain = longestChain): readonly number[] | "more" {
  if (at >= bytes.length) return last ? [] : "more";
  const byte = bytes[at] as number;
  if (byte === escapeCharacter) return symbolsAfter(endOfSequence(bytes, at + 1, last), bytes, last, chain);
  const symbols = whitespace.includes(byte) || byte === plus ? [byte, blank] : [byte];
  if (!escapes.includes(byte)) return symbols;
  if (byte === backslash) {
    const end = endOfBackslashes(bytes, at);
    if (end >= bytes.length && !last) return "more";
    const escaped = isLineEnd(bytes[end]) ? symbolsAfter(afterLineEnd(bytes, end), bytes, last, chain) : [bytes[end] ?? 0];
    if (escaped === "more") return "more";
    symbols.push(...escaped);
  }
  if (byte === equalsSign && isLineEnd(bytes[at + 1])) return symbolsAfter(afterLineEnd(bytes, at + 1), bytes, last, chain);
  const readings = readEscapes(bytes, at, last);
  if (readings === "more") return "more";
  for (const { bytes: decoded, end } of readings) {
    const [first = 0] = decoded;
    symbols.push(first);
    if (whitespace.includes(first) || first === 0xc2) symbols.push(blank);
    if (whitespace.includes(first) || first === escapeCharacter) {
      const skipped = first === escapeCharacter ? endOfSequence(bytes, end, last) : end;
      const more = symbolsAfter(skipped, bytes, last, chain);
      if (more === "more") return "more";
      symbols.push(...more);
    }
  }
  return symbols;
}

function symbolsAfter(end: number | "more" | undefined, bytes: Uint8Array, last: boolean, chain: number): readonly number[] | "more" {
  if (end === "more") return "more";
  return end === undefined || chain === 0 ? [] : symbolsAt(bytes, end, last, chain - 1);
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === lineFeed || byte === carriageReturn;
}

function afterLineEnd(bytes: Uint8Array, at: number): number {
  const limit = Math.min(bytes.length, at + longestLineEnd);
  let end = at;
  while (end < limit && whitespace.includes(bytes[end] as number)) end++;
  return end;
}
