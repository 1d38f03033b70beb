/**
 * Finds declared secrets and tokens of known shapes in a stream, in one pass, with a table of what each pair of bytes can begin. The
 * result does not depend on how the input is split into chunks. Pure.
 */
import { noMatch, undecided } from "./match-pattern.ts";
import { afterIndent, indexPatterns, type PatternIndex, pairIsEscape, pairIsLineStart, pairIsStart } from "./pattern-index.ts";
import { indexPrefixes, type PrefixIndex, pairIsPrefix } from "./prefix-index.ts";
import type { SecretPattern } from "./secret-patterns.ts";
import type { TokenMatch, TokenShape } from "./token-match.ts";

export interface FoundSecret extends TokenMatch {
  /** Undefined for a declared secret. */
  readonly kind: string | undefined;
  /** Orders secrets with the same start: declared ones first, then in the order of the shapes. */
  readonly rank: number;
  /** The offset of its first byte, or of its shape's prefix, which can be before the token. */
  readonly anchor: number;
}

export interface SecretSearch {
  /**
   * Calls `found` for secrets anchored at or after `from` until it returns true. Bytes before `from` are context. Returns the offset up
   * to which the input is decided. The caller must pass the rest again with more input; secrets anchored there are reported again.
   */
  scan(bytes: Uint8Array, from: number, last: boolean, found: (secret: FoundSecret) => boolean): number;
  /** The length in bytes of the shortest possible secret; infinite without patterns and shapes. */
  readonly shortest: number;
}

interface Tables {
  /** The bits of each pair, by `first << 8 | second`. */
  readonly pairs: Uint8Array;
  readonly patterns: PatternIndex;
  readonly prefixes: PrefixIndex;
}

const declaredRank = -1;

export function searchSecrets(patterns: readonly SecretPattern[], shapes: readonly TokenShape[]): SecretSearch {
  const tables: Tables = { pairs: new Uint8Array(65536), patterns: indexPatterns(patterns), prefixes: indexPrefixes(shapes) };
  tables.patterns.mark(tables.pairs);
  tables.prefixes.mark(tables.pairs);
  return {
    shortest: Math.min(tables.prefixes.shortest, ...patterns.map(({ bytes }) => bytes.length)),
    scan(bytes, from, last, found) {
      const settled = scan(tables, bytes, from, last, found);
      return last ? settled : Math.min(settled, firstCut(tables, bytes, from));
    },
  };
}

function scan(tables: Tables, bytes: Uint8Array, from: number, last: boolean, found: (secret: FoundSecret) => boolean): number {
  const { pairs, patterns, prefixes } = tables;
  let settled = bytes.length;
  let limit = bytes.length;
  for (let at = nextHit(pairs, bytes, Math.max(from, 1), limit); at < limit; at = nextHit(pairs, bytes, at + 1, limit)) {
    const bits = pairs[((bytes[at - 1] as number) << 8) | (bytes[at] as number)] as number;
    let open = settled;
    if (bits & pairIsPrefix) {
      for (const { match, kind, rank, anchor } of prefixes.tokensAt(bytes, at - 1, from, settled, last)) {
        if (match === undefined) open = Math.min(open, anchor);
        else if (found({ ...match, kind, rank, anchor })) return settled;
      }
    }
    if (bits & pairIsStart && at > from && at <= open) {
      const end = patterns.startAt(bytes, at - 1, last);
      if (end === undecided) open = at - 1;
      else if (end !== noMatch && found(declared(at - 1, end))) return settled;
    }
    if (bits & pairIsEscape && at > from && at <= open) {
      const end = patterns.escapeAt(bytes, at - 1, last);
      if (end === undecided) open = at - 1;
      else if (end !== noMatch && found(declared(at - 1, end))) return settled;
    }
    if (bits & pairIsLineStart && at < open) {
      const start = afterIndent(bytes, at);
      const end = patterns.lineStartAt(bytes, at, start, last);
      if (end === undecided) open = at;
      else if (end !== noMatch && found(declared(start, end))) return settled;
    }
    if (open < settled) {
      settled = open;
      // A later pair can belong to a prefix that begins before this offset.
      limit = Math.min(limit, settled + prefixes.furthest + 2);
    }
  }
  return settled;
}

function declared(start: number, end: number): FoundSecret {
  return { kind: undefined, rank: declaredRank, anchor: start, start, end };
}

/** The start of the first secret that the end of the input cuts off after its first byte or within its prefix. */
function firstCut({ patterns, prefixes }: Tables, bytes: Uint8Array, from: number): number {
  const cut = prefixes.firstCut(bytes, from);
  const end = bytes.length - 1;
  return end >= from && patterns.begins(bytes[end] as number) ? Math.min(cut, end) : cut;
}

/** The first offset, at least `at`, that ends a marked pair; else `limit`. This is the hot loop. */
function nextHit(pairs: Uint8Array, bytes: Uint8Array, at: number, limit: number): number {
  let first = bytes[at - 1] as number;
  for (; at < limit; at++) {
    const second = bytes[at] as number;
    if (pairs[(first << 8) | second] !== 0) return at;
    first = second;
  }
  return limit;
}
