/**
 * Finds declared secrets and tokens of known shapes in a stream, in one pass: a table tells for each pair of bytes what can begin
 * there. How the input is cut into chunks changes nothing. Pure.
 */
import { noMatch, undecided } from "./match-pattern.ts";
import { afterIndent, indexPatterns, pairIsEscape, pairIsLineStart, pairIsStart } from "./pattern-index.ts";
import type { SecretPattern } from "./secret-patterns.ts";
import type { TokenMatch, TokenShape } from "./token-match.ts";

/** A secret that was found. */
export interface FoundSecret extends TokenMatch {
  /** `undefined` for a declared secret. */
  readonly kind: string | undefined;
  /** Decides between secrets that begin at one place: declared ones come first, then the order of the shapes. */
  readonly rank: number;
  /** Where its first byte, or the prefix of its shape, is. A token can begin before or after that. */
  readonly anchor: number;
}

export interface SecretSearch {
  /**
   * Reports secrets anchored at or after `from` until `found` returns true. Bytes before `from` are only looked back at. Returns
   * the offset up to which everything was decided: the rest, and the secrets anchored there, have to come again with more input.
   */
  scan(bytes: Uint8Array, from: number, last: boolean, found: (secret: FoundSecret) => boolean): number;
  /** The fewest bytes that a secret takes. */
  readonly shortest: number;
}

interface Prefix {
  readonly bytes: Uint8Array;
  /** Where in it the pair is that is looked for. */
  readonly pair: number;
  readonly shape: TokenShape;
  readonly rank: number;
}

const declaredRank = -1;
const pairIsPrefix = 8;

/** Prepares a search. */
export function searchSecrets(patterns: readonly SecretPattern[], shapes: readonly TokenShape[]): SecretSearch {
  const index = indexPatterns(patterns);
  const prefixes = shapes.flatMap((shape, rank) => shape.prefixes.map((text) => prefixOf(Buffer.from(text), shape, rank)));
  const byPair = new Map<number, Prefix[]>();
  const pairs = new Uint8Array(65536);
  index.mark(pairs);
  for (const prefix of prefixes) {
    const pair = pairAt(prefix.bytes, prefix.pair);
    byPair.set(pair, [...(byPair.get(pair) ?? []), prefix]);
    pairs[pair] = (pairs[pair] ?? 0) | pairIsPrefix;
  }
  const firsts = new Uint8Array(256);
  for (const { bytes } of prefixes) firsts[bytes[0] as number] = 1;
  const longest = Math.max(0, ...prefixes.map(({ bytes }) => bytes.length));
  const furthest = Math.max(0, ...prefixes.map(({ pair }) => pair));
  const shortest = Math.min(...prefixes.map(({ bytes }) => bytes.length), ...patterns.map(({ bytes }) => bytes.length));

  function scan(bytes: Uint8Array, from: number, last: boolean, found: (secret: FoundSecret) => boolean): number {
    let settled = bytes.length;
    let limit = bytes.length;
    const declared = (at: number, end: number): boolean => {
      if (at >= settled) return false;
      if (end !== undecided) return found({ kind: undefined, rank: declaredRank, anchor: at, start: at, end });
      settled = at;
      // After this place there can still be a pair whose prefix begins before it.
      limit = Math.min(limit, at + furthest + 2);
      return false;
    };
    const token = (at: number): boolean => {
      for (const { bytes: prefix, pair, shape, rank } of byPair.get(pairAt(bytes, at)) ?? []) {
        const anchor = at - pair;
        if (anchor < from || anchor >= settled || !agrees(bytes, anchor, prefix)) continue;
        const verdict = shape.match(bytes, anchor, anchor + prefix.length, last);
        if (verdict === "no") continue;
        if (verdict === "more") {
          settled = anchor;
          limit = Math.min(limit, anchor + furthest + 2);
        } else if (found({ ...verdict, kind: shape.kind, rank, anchor })) return true;
      }
      return false;
    };
    for (let at = nextHit(pairs, bytes, Math.max(from, 1), limit); at < limit; at = nextHit(pairs, bytes, at + 1, limit)) {
      const bits = pairs[pairAt(bytes, at - 1)] as number;
      if (bits & pairIsPrefix && token(at - 1)) return settled;
      if (at > settled) continue;
      if (bits & pairIsStart && at > from) {
        const end = index.startAt(bytes, at - 1, last);
        if (end !== noMatch && declared(at - 1, end)) return settled;
      }
      if (bits & pairIsEscape && at > from) {
        const end = index.escapeAt(bytes, at - 1, last);
        if (end !== noMatch && declared(at - 1, end)) return settled;
      }
      if (bits & pairIsLineStart) {
        const start = afterIndent(bytes, at);
        const end = index.lineStartAt(bytes, at, start, last);
        if (end !== noMatch && declared(end === undecided ? at : start, end)) return settled;
      }
    }
    return settled;
  }

  /** Where the first secret begins that the end of the input cuts off before its second byte, or in its prefix. */
  function firstCut(bytes: Uint8Array, from: number): number {
    const length = bytes.length;
    for (let at = Math.max(from, length - longest + 1); at < length; at++) {
      if (at === length - 1 && index.begins(bytes[at] as number)) return at;
      if (firsts[bytes[at] as number] === 0) continue;
      if (prefixes.some((prefix) => prefix.bytes.length > length - at && agrees(bytes, at, prefix.bytes.subarray(0, length - at))))
        return at;
    }
    return length > from && index.begins(bytes[length - 1] as number) ? length - 1 : length;
  }

  return {
    shortest,
    scan(bytes, from, last, found) {
      const settled = scan(bytes, from, last, found);
      return last ? settled : Math.min(settled, firstCut(bytes, from));
    },
  };
}

/** The first offset from `at` on whose byte, with the one before it, is a marked pair; else `limit`. This is the hot loop. */
function nextHit(pairs: Uint8Array, bytes: Uint8Array, at: number, limit: number): number {
  let first = bytes[at - 1] as number;
  for (; at < limit; at++) {
    const second = bytes[at] as number;
    if (pairs[(first << 8) | second] !== 0) return at;
    first = second;
  }
  return limit;
}

function prefixOf(bytes: Uint8Array, shape: TokenShape, rank: number): Prefix {
  return { bytes, pair: rarestPair(bytes), shape, rank };
}

/** Where the two bytes begin that are rarest in text, which is mostly small letters, blanks, dashes and slashes. */
function rarestPair(prefix: Uint8Array): number {
  const costOf = (byte: number | undefined) => {
    const character = String.fromCharCode(byte ?? 0);
    return "etaoinsrlhdcu ".includes(character) ? 4 : /[a-z./:-]/.test(character) ? (/[qxzjkvw]/.test(character) ? 1 : 2) : 0;
  };
  const costs = Array.from({ length: prefix.length - 1 }, (_, at) => costOf(prefix[at]) + costOf(prefix[at + 1]));
  return costs.indexOf(Math.min(...costs));
}

function agrees(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  if (at + part.length > bytes.length) return false;
  for (let index = 0; index < part.length; index++) if (bytes[at + index] !== part[index]) return false;
  return true;
}

function pairAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
