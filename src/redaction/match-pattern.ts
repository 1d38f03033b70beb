/**
 * Matches one pattern of a secret at one offset, through the escapes, colour codes, line breaks and separators that encoders insert.
 * More input can change only the result {@link undecided}. Pure.
 */
import {
  backslash,
  blank,
  carriageReturn,
  comma,
  doubleQuote,
  equalsSign,
  escapeCharacter,
  lineFeed,
  plus,
  singleQuote,
  tab,
} from "./alphabets.ts";
import type { SecretPattern } from "./secret-patterns.ts";
import { endOfBackslashes, endOfSequence, readEscapes } from "./text-escapes.ts";

/** {@link matchPattern} returns the match's end, or one of these. */
export const noMatch = -1;
/** The input ends within a possible match. */
export const undecided = -2;

/**
 * Line breaks are skipped only after this many bytes of a pattern. Otherwise output would be held back at the end of each line whose
 * last character begins a secret. `lineStartAt` in `pattern-index.ts` finds secrets with an earlier line break.
 */
export const shortestHead = 3;

/** The longest indentation that is skipped after a line break. */
const longestIndent = 64;

/** A search for one pattern at one offset. */
interface Attempt {
  readonly pattern: SecretPattern;
  readonly bytes: Uint8Array;
  readonly last: boolean;
  /** Pending states, best last, as pairs: index in the pattern, offset in the bytes. */
  readonly pending: number[];
}

/** Matches a pattern from `index` against `bytes` from `start`. Returns the match's end, `noMatch` or `undecided`. */
export function matchPattern(pattern: SecretPattern, bytes: Uint8Array, index: number, start: number, last: boolean): number {
  const symbols = pattern.bytes;
  const specials = pattern.special;
  let at = start;
  for (; index < symbols.length && at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (specials[byte] === 1) return matchSpecial(pattern, bytes, index, start, at, last);
    if (byte !== symbols[index]) return noMatch;
    index++;
  }
  return index === symbols.length ? at : last ? noMatch : undecided;
}

function matchSpecial(pattern: SecretPattern, bytes: Uint8Array, index: number, start: number, at: number, last: boolean): number {
  const symbols = pattern.bytes;
  const specials = pattern.special;
  // Bounds how much of a stream is held back.
  const limit = start + symbols.length * 64 + 1024;
  // Bounds the time for text full of escapes and breaks.
  const limitOfReadings = symbols.length * 6 + 100;
  const attempt: Attempt = { pattern, bytes, last, pending: [index, at] };
  const tried = new Set<number>();
  for (;;) {
    let offset = attempt.pending.pop();
    let next = attempt.pending.pop();
    if (offset === undefined || next === undefined) return noMatch;
    for (; next < symbols.length; offset++, next++) {
      if (offset >= bytes.length || offset > limit) break;
      const byte = bytes[offset] as number;
      if (specials[byte] === 1 || byte !== symbols[next]) break;
    }
    if (next === symbols.length) return offset;
    if (offset > limit) continue;
    if (offset >= bytes.length) {
      if (!last) return undecided;
      continue;
    }
    if (specials[bytes[offset] as number] === 0) continue;
    const state = next * 0x1000000 + (offset - start);
    if (tried.has(state)) continue;
    if (tried.add(state).size > limitOfReadings) return noMatch;
    if (!addReadings(attempt, next, offset)) return undecided;
  }
}

/** Adds the readings of a special byte, the likeliest last. False if more input is needed. */
function addReadings(attempt: Attempt, index: number, at: number): boolean {
  const { pattern, bytes, pending } = attempt;
  const byte = bytes[at] as number;
  const symbol = pattern.bytes[index];
  const inRun = follows(pattern, index);
  if (inRun && isBlank(byte)) pending.push(index, at + 1);
  if (!addSkips(attempt, index, at, byte)) return false;
  if (byte === symbol && byte !== backslash) pending.push(index + 1, at + 1);
  if (pattern.alphabet === "text" && symbol === blank && byte !== blank && (isBlank(byte) || byte === plus))
    pending.push(index + 1, at + 1);
  if (symbol === byte && (byte === singleQuote || byte === doubleQuote)) return addQuotes(attempt, index, at, byte);
  return addEscapes(attempt, index, at, byte, inRun);
}

/** Whether white space here only extends the white space before it. */
function follows({ alphabet, bytes }: SecretPattern, index: number): boolean {
  if (index === 0) return false;
  return alphabet === "text" ? bytes[index - 1] === blank : alphabet === "list" && bytes[index - 1] === comma;
}

/** Skips colour codes, line breaks, and separators between pairs of hex digits. */
function addSkips({ pattern, bytes, last, pending }: Attempt, index: number, at: number, byte: number): boolean {
  if (index === 0) return true;
  if (byte === escapeCharacter) return addSkip(pending, index, endOfSequence(bytes, at + 1, last));
  if (pattern.breaks && index >= shortestHead && isLineBreak(byte)) return addSkip(pending, index, endOfBreak(bytes, at, last));
  if (pattern.breaks && byte === equalsSign) {
    if (at + 1 >= bytes.length) return last;
    if (isLineBreak(bytes[at + 1])) return addSkip(pending, index, endOfLineEnd(bytes, at + 1, last));
  }
  if (pattern.alphabet !== "hex" || index % 2 !== 0 || isLineBreak(byte) || !isSeparator(byte)) return true;
  let end = at + 1;
  while (end < at + 4 && isSeparator(bytes[end])) end++;
  if (end + 1 >= bytes.length && !last) return false;
  pending.push(index, bytes[end] === 0x30 && bytes[end + 1] === 0x78 ? end + 2 : end);
  return true;
}

function addSkip(pending: number[], index: number, end: number | "more" | undefined): boolean {
  if (end === "more") return false;
  if (end !== undefined) pending.push(index, end);
  return true;
}

/** A quote can be doubled (SQL, YAML, CSV) or written outside a shell's quotes. */
function addQuotes({ bytes, last, pending }: Attempt, index: number, at: number, quote: number): boolean {
  const other = quote === singleQuote ? doubleQuote : singleQuote;
  for (const spelling of [[quote], [backslash, quote, quote], [other, quote, other, quote]]) {
    const found = spelling.findIndex((byte, offset) => bytes[at + 1 + offset] !== byte);
    if (found >= 0 && at + 1 + found >= bytes.length && !last) return false;
    if (found < 0) pending.push(index + 1, at + 1 + spelling.length);
  }
  return true;
}

function addEscapes(attempt: Attempt, index: number, at: number, byte: number, inRun: boolean): boolean {
  const { pattern, bytes, last, pending } = attempt;
  if (byte === backslash && !addBackslashes(attempt, index, at)) return false;
  const readings = readEscapes(bytes, at, last);
  if (readings === "more") return false;
  for (const { bytes: decoded, end } of readings) {
    const matched = afterBytes(pattern, index, decoded);
    if (matched !== noMatch) pending.push(matched, end);
    if (index > 0 && decoded[0] === escapeCharacter && !addSkip(pending, index, endOfSequence(bytes, end, last))) return false;
    // Patterns contain a run of backslashes as one.
    const longerRun = decoded[0] === backslash && pattern.alphabet === "text" && pattern.bytes[index - 1] === backslash;
    if (index > 0 && (longerRun || (pattern.breaks && isLineBreak(decoded[0])) || (inRun && isWhitespace(decoded))))
      pending.push(index, end);
  }
  return true;
}

/** A run of backslashes is a backslash of the secret, an escape or a line continuation. */
function addBackslashes({ pattern, bytes, last, pending }: Attempt, index: number, at: number): boolean {
  const end = endOfBackslashes(bytes, at);
  if (end >= bytes.length && !last) return false;
  if (pattern.bytes[index] === backslash) {
    if (end - at > 1) pending.push(index + 1, end - 1);
    pending.push(index + 1, end);
  } else if (index > 0) {
    if (pattern.breaks && isLineBreak(bytes[end])) {
      const next = endOfBreak(bytes, end, last);
      // The indentation can include a blank of the secret.
      if (pattern.alphabet === "text" && pattern.bytes[index] === blank) addSkip(pending, index + 1, next);
      return addSkip(pending, index, next);
    }
    pending.push(index, end);
  }
  return true;
}

/** The index in the pattern after the bytes of an escape, or {@link noMatch}. */
export function afterBytes({ bytes, alphabet }: SecretPattern, index: number, decoded: readonly number[]): number {
  if (alphabet === "text" && bytes[index] === blank && isWhitespace(decoded)) return index + 1;
  for (const byte of decoded) if (bytes[index++] !== byte) return noMatch;
  return index;
}

/** Whether an escape is white space, including U+00A0, which HTML uses for a blank. */
function isWhitespace(decoded: readonly number[]): boolean {
  return decoded.length === 1 ? isBlank(decoded[0]) : decoded.length === 2 && decoded[0] === 0xc2 && decoded[1] === 0xa0;
}

function isBlank(byte: number | undefined): boolean {
  return byte === blank || byte === tab || isLineBreak(byte);
}

function isLineBreak(byte: number | undefined): boolean {
  return byte === lineFeed || byte === carriageReturn;
}

function isSeparator(byte: number | undefined): boolean {
  return byte !== undefined && (byte === blank || byte === tab || byte === comma || byte === 0x3a || byte === 0x3b || byte === 0x2d);
}

function endOfLineEnd(bytes: Uint8Array, at: number, last: boolean): number | "more" | undefined {
  if (bytes[at] === lineFeed) return at + 1;
  if (at + 1 >= bytes.length) return last ? at + 1 : "more";
  return bytes[at + 1] === lineFeed ? at + 2 : at + 1;
}

/** The offset after a line break and the indentation of the next line. */
function endOfBreak(bytes: Uint8Array, at: number, last: boolean): number | "more" | undefined {
  const line = endOfLineEnd(bytes, at, last);
  if (typeof line !== "number") return line;
  let end = line;
  while (end < line + longestIndent && (bytes[end] === blank || bytes[end] === tab)) end++;
  return end >= bytes.length && !last ? "more" : end;
}
