/**
 * Indexes the prefixes of tokens by pairs of bytes. Each prefix is found by the pair in it that is rarest in text. Pure.
 */
import type { TokenMatch, TokenShape } from "./token-match.ts";

/** The bit of a pair that is in a prefix. */
export const pairIsPrefix = 8;

/** A token or a possible token. */
export interface TokenVerdict {
  /** Undefined if more input is needed. */
  readonly match: TokenMatch | undefined;
  readonly kind: string;
  readonly rank: number;
  /** The offset of its prefix. */
  readonly anchor: number;
}

export interface PrefixIndex {
  /** Sets the bit of every pair, by `first << 8 | second`. */
  mark(pairs: Uint8Array): void;
  /** The tokens whose marked pair is at `at` and whose prefix begins in `from` (inclusive) to `to` (exclusive). */
  tokensAt(bytes: Uint8Array, at: number, from: number, to: number, last: boolean): readonly TokenVerdict[];
  /** The offset, at least `from`, of the first prefix that the end of the input cuts off; else the input's length. */
  firstCut(bytes: Uint8Array, from: number): number;
  /** The length of the shortest prefix; infinite without prefixes. */
  readonly shortest: number;
  /** The largest offset of a marked pair in its prefix. */
  readonly furthest: number;
}

interface Prefix {
  readonly bytes: Uint8Array;
  /** The offset of the marked pair. */
  readonly pair: number;
  readonly shape: TokenShape;
  readonly rank: number;
}

const none: readonly TokenVerdict[] = [];

/** Builds the index. Prefixes have at least 3 bytes. */
export function indexPrefixes(shapes: readonly TokenShape[]): PrefixIndex {
  const prefixes = shapes.flatMap((shape, rank) =>
    shape.prefixes.map((text): Prefix => {
      const bytes = Buffer.from(text);
      return { bytes, pair: rarestPair(bytes), shape, rank };
    }),
  );
  const groups = new Uint16Array(65536);
  const members: Prefix[][] = [[]];
  const firsts = new Uint8Array(256);
  for (const prefix of prefixes) {
    const pair = pairAt(prefix.bytes, prefix.pair);
    if (groups[pair] === 0) groups[pair] = members.push([]) - 1;
    members[groups[pair] as number]?.push(prefix);
    firsts[prefix.bytes[0] as number] = 1;
  }
  const longest = Math.max(0, ...prefixes.map(({ bytes }) => bytes.length));
  return {
    mark: (pairs) => {
      for (const { bytes, pair } of prefixes) pairs[pairAt(bytes, pair)] = (pairs[pairAt(bytes, pair)] ?? 0) | pairIsPrefix;
    },
    tokensAt: (bytes, at, from, to, last) => tokensAt(members[groups[pairAt(bytes, at)] as number] ?? [], bytes, at, from, to, last),
    firstCut: (bytes, from) => {
      const length = bytes.length;
      for (let at = Math.max(from, length - longest + 1); at < length; at++) {
        if (firsts[bytes[at] as number] === 0) continue;
        if (prefixes.some((prefix) => prefix.bytes.length > length - at && agrees(bytes, at, prefix.bytes, length - at))) return at;
      }
      return length;
    },
    shortest: Math.min(...prefixes.map(({ bytes }) => bytes.length)),
    furthest: Math.max(0, ...prefixes.map(({ pair }) => pair)),
  };
}

function tokensAt(
  candidates: readonly Prefix[],
  bytes: Uint8Array,
  at: number,
  from: number,
  to: number,
  last: boolean,
): readonly TokenVerdict[] {
  let found: TokenVerdict[] | undefined;
  for (let index = 0; index < candidates.length; index++) {
    const { bytes: prefix, pair, shape, rank } = candidates[index] as Prefix;
    const anchor = at - pair;
    if (anchor < from || anchor >= to || anchor + prefix.length > bytes.length || !agrees(bytes, anchor, prefix, prefix.length)) continue;
    const verdict = shape.match(bytes, anchor, anchor + prefix.length, last);
    if (verdict === "no") continue;
    found ??= [];
    found.push({ match: verdict === "more" ? undefined : verdict, kind: shape.kind, rank, anchor });
  }
  return found ?? none;
}

/** Characters by frequency in logs and source code, the most frequent first. Others are rarer still. */
const frequencies = ["etaoinsrlhdcu 0123456789./:", "mfpgwyb-", "vk_", "xjqz"];

const costs = new Uint8Array(256);
for (const [rank, characters] of frequencies.entries()) for (const byte of Buffer.from(characters)) costs[byte] = frequencies.length - rank;

/** The offset of the pair that is rarest in text. */
function rarestPair(prefix: Uint8Array): number {
  let rarest = 0;
  let lowest = Number.POSITIVE_INFINITY;
  for (let at = 0; at + 1 < prefix.length; at++) {
    const cost = (costs[prefix[at] as number] as number) + (costs[prefix[at + 1] as number] as number);
    if (cost < lowest) {
      lowest = cost;
      rarest = at;
    }
  }
  return rarest;
}

function agrees(bytes: Uint8Array, at: number, part: Uint8Array, length: number): boolean {
  for (let index = 0; index < length; index++) if (bytes[at + index] !== part[index]) return false;
  return true;
}

function pairAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}
