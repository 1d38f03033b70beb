/**
 * Indexes declared secrets by pairs of bytes, so that a search examines only a few offsets. Pure.
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
  specialBytes,
  tab,
  whitespace,
} from "./alphabets.ts";
import { afterBytes, matchPattern, noMatch, shortestHead, undecided } from "./match-pattern.ts";
import { isSpecial, nextSymbol, orBackslash, orBlank, symbolsAt, unclear } from "./next-symbol.ts";
import type { SecretPattern } from "./secret-patterns.ts";
import { hexAt, readEscapes } from "./text-escapes.ts";

/** Bits of a pair of bytes. The pair can begin a secret. */
export const pairIsStart = 1;
/** The pair can begin an escape of a secret's first byte. */
export const pairIsEscape = 2;
/** The second byte can continue a secret that a line break cut after its first few bytes. */
export const pairIsLineStart = 4;

/** The rest of a pattern, from index `from`. */
interface Tail {
  readonly pattern: SecretPattern;
  readonly from: number;
}

interface Starts {
  readonly byFirst: ReadonlyMap<number, readonly SecretPattern[]>;
  /** Whether a pattern begins with a control character. */
  readonly withControl: boolean;
}

export interface PatternIndex {
  /** Sets the bits of every pair, by `first << 8 | second`. */
  mark(pairs: Uint8Array): void;
  /** The end of the longest secret at `at`; `undecided` if more input is needed, `noMatch` if there is none. */
  startAt(bytes: Uint8Array, at: number, last: boolean): number;
  /** Like `startAt`, for a secret whose first byte is escaped. */
  escapeAt(bytes: Uint8Array, at: number, last: boolean): number;
  /**
   * Like `startAt`, for the rest of a secret if the previous line ends in its first bytes. The line begins at `line`, its text after
   * the indentation at `start`.
   */
  lineStartAt(bytes: Uint8Array, line: number, start: number, last: boolean): number;
  /** Whether a byte can begin a secret or an escape of its first byte. */
  begins(byte: number): boolean;
}

/** The longest indentation between a line break and the rest of a secret. */
const longestIndent = 12;
const shortestTail = 6;
/** By byte: 1 if it can stand for another byte in some alphabet. */
const isSpecialAnywhere = new Uint8Array(256).map((_, byte) => Math.max(...Object.values(specialBytes).map((set) => set[byte] ?? 0)));

const tripleMask = 0x7fff;

/** A hash of three bytes. */
function tripleOf(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) * 0x3d) ^ ((bytes[at + 1] as number) << 7) ^ ((bytes[at + 2] as number) << 1)) & tripleMask;
}

/** Builds the index. Patterns have at least 4 bytes. */
export function indexPatterns(patterns: readonly SecretPattern[]): PatternIndex {
  const byFirst = groupBy(patterns, (pattern) => pattern.bytes[0] ?? 0);
  const byPair: (readonly SecretPattern[])[] = [[]];
  const groups = new Uint16Array(65536);
  for (const [pair, members] of groupBy(patterns, ({ bytes }) => ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0))) {
    groups[pair] = byPair.push(members) - 1;
  }
  const starts: Starts = { byFirst, withControl: [...byFirst.keys()].some((byte) => byte < blank) };
  const triples = new Uint8Array(tripleMask + 1);
  for (const { bytes } of patterns) triples[tripleOf(bytes, 0)] = 1;
  const tails = groupBy(patterns.flatMap(tailsOf), ({ pattern, from }) => pattern.bytes[from] ?? 0);
  const pairAt = (bytes: Uint8Array, at: number, second: number, last: boolean): number =>
    longestAt(byPair[groups[((bytes[at] as number) << 8) | second] as number] ?? [], bytes, at, last);
  const startAt: PatternIndex["startAt"] = (bytes, at, last) => {
    const first = bytes[at] as number;
    const second = bytes[at + 1] as number;
    if (first === backslash) return isInsideRun(bytes, at) ? noMatch : longestAt(byFirst.get(first) ?? [], bytes, at, last);
    if (isSpecial[second] === 0) {
      const third = bytes[at + 2];
      if (third !== undefined && isSpecialAnywhere[third] === 0 && triples[tripleOf(bytes, at)] === 0) return noMatch;
      return pairAt(bytes, at, second, last);
    }
    const next = nextSymbol(bytes, at + 1, last);
    if (next === undecided) return undecided;
    if (next === unclear) return unclearAt(byFirst.get(first) ?? [], bytes, at, last);
    let end = pairAt(bytes, at, next & 0xff, last);
    if (next & orBlank && end !== undecided) end = longer(end, pairAt(bytes, at, blank, last));
    if (next & orBackslash && end !== undecided) end = longer(end, pairAt(bytes, at, backslash, last));
    return end;
  };
  return {
    mark: (pairs) => mark(pairs, patterns, tails),
    startAt,
    escapeAt: (bytes, at, last) => escapeAt(starts, bytes, at, last),
    lineStartAt: (bytes, line, start, last) => lineStartAt(tails.get(bytes[start] ?? 0) ?? [], bytes, line, start, last),
    begins: (byte) => byFirst.has(byte) || (patterns.length > 0 && escapes.includes(byte)),
  };
}

/** Whether a backslash continues a run of backslashes. Secrets in a run are found at the run's start. */
function isInsideRun(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === backslash && at > 0 && bytes[at - 1] === backslash;
}

function longer(one: number, other: number): number {
  return other === undecided ? undecided : Math.max(one, other);
}

function unclearAt(candidates: readonly SecretPattern[], bytes: Uint8Array, at: number, last: boolean): number {
  const nexts = symbolsAt(bytes, at + 1, last);
  if (nexts === "more") return undecided;
  const possible = candidates.filter((pattern) => nexts.includes(pattern.bytes[1] ?? 0));
  return longestAt(possible, bytes, at, last);
}

function longestAt(candidates: readonly SecretPattern[], bytes: Uint8Array, at: number, last: boolean): number {
  let longest = noMatch;
  for (let index = 0; index < candidates.length; index++) {
    const end = matchPattern(candidates[index] as SecretPattern, bytes, 0, at, last);
    if (end === undecided) return undecided;
    if (end > longest) longest = end;
  }
  return longest;
}

function tailsOf(pattern: SecretPattern): Tail[] {
  if (!pattern.breaks) return [];
  const froms = Array.from({ length: shortestHead - 1 }, (_, at) => at + 1);
  return froms.filter((from) => pattern.bytes.length - from >= shortestTail).map((from) => ({ pattern, from }));
}

function groupBy<T>(members: readonly T[], keyOf: (member: T) => number): ReadonlyMap<number, readonly T[]> {
  const groups = new Map<number, T[]>();
  for (const member of members) {
    const key = keyOf(member);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [member]);
    else group.push(member);
  }
  return groups;
}

function mark(pairs: Uint8Array, patterns: readonly SecretPattern[], tails: ReadonlyMap<number, readonly Tail[]>): void {
  const set = (first: number, second: number, bit: number) => {
    const pair = (first << 8) | second;
    pairs[pair] = (pairs[pair] ?? 0) | bit;
  };
  for (const { bytes, alphabet } of patterns) {
    const [first = 0, second = 0] = bytes;
    set(first, second, pairIsStart);
    for (const byte of [...escapes, escapeCharacter]) set(first, byte, pairIsStart);
    if (alphabet === "text" && second === blank) for (const byte of [...whitespace, plus]) set(first, byte, pairIsStart);
    if (first === backslash) for (let byte = 0; byte < 256; byte++) set(first, byte, pairIsStart);
  }
  if (patterns.length === 0) return;
  for (const byte of Buffer.from("\\nrtbfvaexuU01234567")) set(backslash, byte, pairIsEscape);
  for (const byte of Buffer.from("0123456789abcdefABCDEF")) for (const begin of [percent, equalsSign]) set(begin, byte, pairIsEscape);
  for (const byte of Buffer.from("#abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) set(ampersand, byte, pairIsEscape);
  for (const byte of [...tails.keys(), blank, tab]) for (const before of [lineFeed, carriageReturn]) set(before, byte, pairIsLineStart);
}

function escapeAt(starts: Starts, bytes: Uint8Array, at: number, last: boolean): number {
  if (isInsideRun(bytes, at)) return noMatch;
  const next = nextSymbol(bytes, at, last);
  if (next === undecided) return undecided;
  const byte = bytes[at] as number;
  if (next !== unclear && (byte !== backslash || !starts.withControl)) return noMatch;
  if (byte === percent || byte === equalsSign) {
    const value = hexAt(bytes, at + 1);
    if (!starts.byFirst.has(value) && (byte === equalsSign || value !== percent)) return noMatch;
  }
  const readings = readEscapes(bytes, at, last);
  if (readings === "more") return undecided;
  let longest = noMatch;
  for (const { bytes: decoded, end } of readings) {
    for (const pattern of starts.byFirst.get(decoded[0] ?? 0) ?? []) {
      const index = afterBytes(pattern, 0, decoded);
      const found = index === noMatch ? noMatch : matchPattern(pattern, bytes, index, end, last);
      if (found === undecided) return undecided;
      longest = Math.max(longest, found);
    }
  }
  return longest;
}

/** The offset after the indentation of the line at `at`. */
export function afterIndent(bytes: Uint8Array, at: number): number {
  const limit = Math.min(bytes.length, at + longestIndent);
  let end = at;
  while (end < limit && (bytes[end] === blank || bytes[end] === tab)) end++;
  return end;
}

function lineStartAt(tails: readonly Tail[], bytes: Uint8Array, line: number, start: number, last: boolean): number {
  if (start >= bytes.length) return last ? noMatch : undecided;
  const before = bytes[line - 1] === lineFeed && bytes[line - 2] === carriageReturn ? line - 2 : line - 1;
  let longest = noMatch;
  for (const { pattern, from } of tails) {
    if (!endsWith(bytes, before, pattern.bytes, from)) continue;
    const found = matchPattern(pattern, bytes, from, start, last);
    if (found === undecided) return undecided;
    longest = Math.max(longest, found);
  }
  return longest;
}

/** Whether the bytes before `end` are the first `count` bytes of a pattern. */
function endsWith(bytes: Uint8Array, end: number, pattern: Uint8Array, count: number): boolean {
  for (let index = 0; index < count; index++) if (bytes[end - count + index] !== pattern[index]) return false;
  return true;
}
