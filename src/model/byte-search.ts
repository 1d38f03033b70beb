/**
 * Finds many byte patterns in a stream at once. Wu-Manber: windows of the shortest pattern's length are looked up by their last
 * two bytes in a table that says how far the next window may lie, so that text without any pattern is mostly skipped.
 *
 * Matches that overlap are one stretch: its length is what counts, not the order in which patterns were given. Matches that
 * merely touch are two. How the input is cut into chunks changes nothing.
 */

/** A stretch of input covered by overlapping matches; half-open offsets. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** What {@link ByteSearch.scan} found in one stretch of a stream. */
export interface Scan {
  /** In order. */
  readonly stretches: readonly Stretch[];
  /** Up to here every match is known; what follows may be the beginning of one, and has to come again before the next chunk. */
  readonly settled: number;
}

export interface ByteSearch {
  /** Scans `bytes` from an offset on. `last` says that nothing follows, so that everything is settled. */
  scan(bytes: Uint8Array, from: number, last: boolean): Scan;
  /** Whether any pattern is in there. */
  has(bytes: Uint8Array): boolean;
}

interface Tables {
  readonly shortest: number;
  readonly longest: number;
  /** By the last two bytes of a window: how many bytes to go on; 0 asks `candidates`. */
  readonly shifts: Uint8Array;
  /** By the last two bytes of their first `shortest` bytes; the longest first. */
  readonly candidates: ReadonlyMap<number, readonly Uint8Array[]>;
  /** By their first two bytes. */
  readonly beginnings: ReadonlyMap<number, readonly Uint8Array[]>;
  /** Whether a pattern begins with a byte. */
  readonly firsts: Uint8Array;
  readonly firstPairs: Uint8Array;
}

/** Prepares a search. Patterns have at least 2 bytes; there is at least one. */
export function searchFor(patterns: readonly Uint8Array[]): ByteSearch {
  const tables = prepare(patterns);
  return {
    scan: (bytes, from, last) => scan(tables, bytes, from, last),
    has: (bytes) => findNext(tables, bytes, 0) !== undefined,
  };
}

function prepare(patterns: readonly Uint8Array[]): Tables {
  const lengths = patterns.map((pattern) => pattern.length);
  const shortest = Math.min(...lengths, 255);
  const shifts = new Uint8Array(65536).fill(shortest - 1);
  const candidates = new Map<number, Uint8Array[]>();
  const beginnings = new Map<number, Uint8Array[]>();
  const firsts = new Uint8Array(256);
  const firstPairs = new Uint8Array(65536);
  for (const pattern of [...patterns].sort((a, b) => b.length - a.length)) {
    for (let end = 1; end < shortest; end++) {
      const pair = pairAt(pattern, end - 1);
      shifts[pair] = Math.min(shifts[pair] ?? 0, shortest - 1 - end);
    }
    group(candidates, pairAt(pattern, shortest - 2), pattern);
    group(beginnings, pairAt(pattern, 0), pattern);
    firsts[pattern[0] ?? 0] = 1;
    firstPairs[pairAt(pattern, 0)] = 1;
  }
  return { shortest, longest: Math.max(...lengths), shifts, candidates, beginnings, firsts, firstPairs };
}

function group(groups: Map<number, Uint8Array[]>, key: number, pattern: Uint8Array): void {
  const known = groups.get(key);
  if (known === undefined) groups.set(key, [pattern]);
  else known.push(pattern);
}

function scan(tables: Tables, bytes: Uint8Array, begin: number, last: boolean): Scan {
  const settled = last ? bytes.length : firstOpenEnd(tables, bytes, begin);
  const stretches: Stretch[] = [];
  let start = begin;
  let end = begin;
  for (let from = begin; from < bytes.length; ) {
    const match = findNext(tables, bytes, from);
    // What begins after the settled part is found again, with what follows it.
    if (match === undefined || match.start >= settled) break;
    if (match.start >= end) {
      if (end > start) stretches.push({ start, end });
      start = match.start;
    }
    end = Math.max(end, match.end);
    from = match.start + 1;
  }
  if (end > start) stretches.push({ start, end });
  return { stretches, settled };
}

/** The first match at or after an offset; of several there the longest. */
function findNext(tables: Tables, bytes: Uint8Array, from: number): Stretch | undefined {
  const { shortest, shifts, candidates } = tables;
  const length = bytes.length;
  for (let at = from + shortest - 1; at < length; ) {
    const pair = ((bytes[at - 1] as number) << 8) | (bytes[at] as number);
    const shift = shifts[pair] as number;
    if (shift > 0) {
      at += shift;
      continue;
    }
    const start = at - shortest + 1;
    const found = candidates
      .get(pair)
      ?.find((pattern) => start + pattern.length <= length && agrees(bytes, start, pattern, pattern.length));
    if (found !== undefined) return { start, end: start + found.length };
    at++;
  }
  return undefined;
}

/** Where the first pattern begins that the end of the input cuts off. */
function firstOpenEnd(tables: Tables, bytes: Uint8Array, from: number): number {
  const { longest, firsts, firstPairs, beginnings } = tables;
  const length = bytes.length;
  for (let at = Math.max(from, length - longest + 1); at < length - 1; at++) {
    const pair = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    if (firstPairs[pair] === 0) continue;
    const rest = length - at;
    if (beginnings.get(pair)?.some((pattern) => pattern.length > rest && agrees(bytes, at, pattern, rest)) === true) return at;
  }
  return length > from && firsts[bytes[length - 1] as number] === 1 ? length - 1 : length;
}

function agrees(bytes: Uint8Array, start: number, pattern: Uint8Array, length: number): boolean {
  for (let at = 0; at < length; at++) if (bytes[start + at] !== pattern[at]) return false;
  return true;
}

function pairAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
