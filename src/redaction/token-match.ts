/**
 * Recognizes the shape of a token in a stream. A shape decides on a bounded number of bytes, so that little is held back; the rest of a
 * longer token is replaced as it arrives. Pure.
 */

/** The bytes before a token that may be examined. A stream keeps them. */
export const lookBehind = 24;

/** Half-open offsets of a token. `rest` finds the end if the token was recognized before its end arrived. */
export interface TokenMatch {
  readonly start: number;
  readonly end: number;
  readonly rest?: Rest;
}

/**
 * Reads the rest of a token; called for consecutive bytes without gaps. Returns the offset of the token's end, or undefined if it
 * continues to the end of `bytes`.
 */
export type Rest = (bytes: Uint8Array, from: number) => number | undefined;

/** `more`: the bytes may be the start of a token. */
export type Verdict = TokenMatch | "no" | "more";

/** The shape of one kind of token. */
export interface TokenShape {
  /** The name shown in place of the token. */
  readonly kind: string;
  /** The prefixes of such a token: at least 3 bytes of ASCII. */
  readonly prefixes: readonly string[];
  /**
   * Decides whether the prefix at `start` begins a token; `body` is the offset after the prefix. `last`: no input follows `bytes`. More
   * input must not change a verdict other than `more`.
   */
  match(bytes: Uint8Array, start: number, body: number, last: boolean): Verdict;
}

/** A token that is a run of characters. Lengths are those of the body, the part after the prefix. */
export interface RunShape {
  readonly kind: string;
  readonly prefixes: readonly string[];
  readonly charset: Charset;
  /** A token cannot follow these characters. Defaults to `charset`. */
  readonly before?: Charset;
  readonly min: number;
  /** The longest part of the body that is checked. */
  readonly max: number;
  /** Whether a longer run is a token too. */
  readonly longer: boolean;
  /** `whole`: `body` is the complete body, not only its first `max` bytes. */
  check(body: string, whole: boolean): boolean;
}

/** By byte: 1 for a member. */
export type Charset = Uint8Array;

export function charset(characters: string): Charset {
  const set = new Uint8Array(256);
  for (const byte of Buffer.from(characters)) set[byte] = 1;
  return set;
}

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
export const wordCharacters = charset(`${alphanumeric}_`);
export const dashedCharacters = charset(`${alphanumeric}_-`);
export const dottedCharacters = charset(`${alphanumeric}_-.`);

const dot = ".".charCodeAt(0);
const space = " ".charCodeAt(0);

/**
 * The shape of a run. A token begins only at the start of a run of its characters, so `task-force` does not contain `sk-`, and no byte is
 * checked twice. Full stops at the end are not part of the token.
 */
export function runShape({ kind, prefixes, charset: set, before = set, min, max, longer, check }: RunShape): TokenShape {
  const rest: Rest = (bytes, from) => {
    for (let at = from; at < bytes.length; at++) if (set[bytes[at] as number] === 0) return at;
    return undefined;
  };
  return {
    kind,
    prefixes,
    match(bytes, start, body, last) {
      if (!beginsRun(bytes, start, before)) return "no";
      const limit = Math.min(bytes.length, body + max + 1);
      let end = body;
      while (end < limit && set[bytes[end] as number] === 1) end++;
      const whole = end - body <= max;
      if (whole && end === bytes.length && !last) return "more";
      if (!(whole || longer)) return "no";
      if (whole) while (end > body && bytes[end - 1] === dot) end--;
      else end = body + max;
      if (end - body < min || !check(latin1(bytes, body, end), whole)) return "no";
      return whole ? { start, end } : { start, end, rest };
    },
  };
}

/** Escapes of JSON and URLs, and terminal colours. A token can follow them, though they end in a letter or digit. */
const escapeSource = String.raw`(?:\\[nrtbf]|\\u00[0-9a-f]{2}|%[0-9a-f]{2}|(?:\p{Cc}|\\u001b|\\x1b|\\033)\[[0-9;]*m)`;
const escapeAtEnd = new RegExp(`${escapeSource}$`, "iu");
const anyEscape = new RegExp(escapeSource, "giu");
/** Each escape contains one of these. */
const escapeCharacters = charset("\\%[");

function beginsRun(bytes: Uint8Array, start: number, set: Charset): boolean {
  if (start === 0 || set[bytes[start - 1] as number] === 0) return true;
  const from = Math.max(0, start - lookBehind);
  // Usually this is the middle of a word, which must be cheap.
  for (let at = start - 2; at >= from; at--) {
    const byte = bytes[at] as number;
    if (escapeCharacters[byte] === 1) return escapeAtEnd.test(latin1(bytes, from, start));
    if (byte === space) return false;
  }
  return false;
}

/** The last `lookBehind` bytes before a token as text, with a blank for each escape. */
export function textBefore(bytes: Uint8Array, start: number): string {
  return latin1(bytes, Math.max(0, start - lookBehind), start).replaceAll(anyEscape, " ");
}

/** Bytes as text, one character per byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.max(0, Math.min(end, bytes.length) - start)).toString("latin1");
}
