/**
 * Finds tokens of known shapes in a stream. Wu-Manber with windows of three bytes finds the prefixes, the shapes judge what
 * follows. Of each prefix those three bytes are looked for that are rare in text, wherever in it they stand.
 */
import type { TokenMatch, TokenShape } from "./token-shapes-match.ts";

/** A token that was found. */
export interface FoundToken extends TokenMatch {
  readonly kind: string;
  /** The shape's place in the table: decides between tokens that begin at one place. */
  readonly rank: number;
  /** Where its prefix stands. A token's start may lie behind it. */
  readonly anchor: number;
}

export interface ShapeSearch {
  /**
   * Reports the tokens whose prefixes stand at or after `from` until `found` gives true. Bytes before `from` are only looked
   * back at. Gives the offset up to which every prefix was judged: what follows has to come again, with more behind it, and
   * with it the tokens anchored there.
   */
  scan(bytes: Uint8Array, from: number, last: boolean, found: (token: FoundToken) => boolean): number;
}

interface Prefix {
  readonly bytes: Uint8Array;
  /** Where in it the window lies. */
  readonly window: number;
  readonly shape: TokenShape;
  readonly rank: number;
}

interface Tables {
  /** By a window's last two bytes: how many bytes to go on; 0 asks `candidates`. */
  readonly shifts: Uint8Array;
  /** By a window's last two bytes: where in `candidates` the prefixes stand whose windows end in them. */
  readonly groups: Uint8Array;
  readonly candidates: readonly (readonly Prefix[])[];
  readonly prefixes: readonly Prefix[];
  /** The longest prefix's length. */
  readonly longest: number;
  /** The furthest that a window lies from its prefix's beginning. */
  readonly furthest: number;
}

/** Prepares a search for tokens of these shapes. */
export function searchShapes(shapes: readonly TokenShape[]): ShapeSearch {
  const tables = prepare(
    shapes.flatMap((shape, rank) =>
      shape.prefixes.map((text) => ({ bytes: Buffer.from(text), window: rarestWindow(Buffer.from(text)), shape, rank })),
    ),
  );
  return {
    scan(bytes, from, last, found) {
      const settled = scan(tables, bytes, from, found, last);
      return last ? settled : Math.min(settled, firstOpenEnd(tables, bytes, from));
    },
  };
}

function prepare(prefixes: readonly Prefix[]): Tables {
  const shifts = new Uint8Array(65536).fill(2);
  const groups = new Uint8Array(65536);
  const candidates: Prefix[][] = [];
  for (const { bytes, window } of prefixes) shifts[pairAt(bytes, window)] = 1;
  for (const prefix of prefixes) {
    const pair = pairAt(prefix.bytes, prefix.window + 1);
    if (shifts[pair] !== 0) groups[pair] = candidates.push([]) - 1;
    shifts[pair] = 0;
    candidates[groups[pair] ?? 0]?.push(prefix);
  }
  const longest = Math.max(0, ...prefixes.map(({ bytes }) => bytes.length));
  return { shifts, groups, candidates, prefixes, longest, furthest: Math.max(0, ...prefixes.map(({ window }) => window)) };
}

function scan(
  { shifts, groups, candidates, furthest }: Tables,
  bytes: Uint8Array,
  from: number,
  found: (token: FoundToken) => boolean,
  last: boolean,
): number {
  let settled = bytes.length;
  let limit = bytes.length;
  for (let at = from + 2; at < limit; ) {
    const pair = ((bytes[at - 1] as number) << 8) | (bytes[at] as number);
    const shift = shifts[pair] as number;
    if (shift > 0) {
      at += shift;
      continue;
    }
    for (const { bytes: prefix, window, shape, rank } of candidates[groups[pair] as number] ?? []) {
      const anchor = at - 2 - window;
      if (anchor < from || anchor >= settled || !agrees(bytes, anchor, prefix, prefix.length)) continue;
      const verdict = shape.match(bytes, anchor, anchor + prefix.length, last);
      if (verdict === "no") continue;
      if (verdict === "more") {
        settled = anchor;
        // Behind this one there may still be a window whose prefix begins before it.
        limit = Math.min(limit, anchor + furthest + 3);
      } else if (found({ ...verdict, kind: shape.kind, rank, anchor })) return settled;
    }
    at++;
  }
  return settled;
}

/** Where the first prefix begins that the end of the input cuts off. */
function firstOpenEnd({ prefixes, longest }: Tables, bytes: Uint8Array, from: number): number {
  const length = bytes.length;
  for (let at = Math.max(from, length - longest + 1); at < length; at++) {
    if (prefixes.some((prefix) => prefix.bytes.length > length - at && agrees(bytes, at, prefix.bytes, length - at))) return at;
  }
  return length;
}

function agrees(bytes: Uint8Array, start: number, prefix: Uint8Array, length: number): boolean {
  if (start + length > bytes.length) return false;
  for (let at = 0; at < length; at++) if (bytes[start + at] !== prefix[at]) return false;
  return true;
}

/** Where the three bytes begin whose last two are rarest in text, which is mostly small letters, blanks, dashes and slashes. */
function rarestWindow(prefix: Uint8Array): number {
  const common = (byte: number | undefined) => (byte !== undefined && /[a-z \-/.]/.test(String.fromCharCode(byte)) ? 1 : 0);
  const costs = Array.from({ length: prefix.length - 2 }, (_, at) => common(prefix[at + 1]) + common(prefix[at + 2]));
  return costs.indexOf(Math.min(...costs));
}

function pairAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
