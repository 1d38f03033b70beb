/**
 * How a token's shape is recognised in bytes of which more may come. A shape decides on a bounded number of bytes, so that a
 * stream holds little back; what goes on behind them is covered as it streams. Pure.
 */

/** Bytes before a token that may say whether it begins there. A stream keeps them at hand. */
export const lookBehind = 24;

/** Half-open offsets of a token. `rest` finds the end of one that was recognised before its end was seen. */
export interface TokenMatch {
  readonly start: number;
  readonly end: number;
  readonly rest?: Rest;
}

/**
 * Reads on in a token: called with offset after offset, without gaps. Returns where the token ends, or `undefined` when it continues
 * through all of `bytes`.
 */
export type Rest = (bytes: Uint8Array, from: number) => number | undefined;

/** `more`: the bytes so far may be the beginning of a token. */
export type Verdict = TokenMatch | "no" | "more";

/** The shape of one kind of token. */
export interface TokenShape {
  /** The name shown in place of the token. */
  readonly kind: string;
  /** What such a token begins with: at least 3 bytes of ASCII. */
  readonly prefixes: readonly string[];
  /**
   * Judges the place where a prefix stands: from `start`, and what follows from `body`. `last`: nothing comes after `bytes`. How
   * much of a longer input is there must not change the verdict, `more` aside.
   */
  match(bytes: Uint8Array, start: number, body: number, last: boolean): Verdict;
}

/** A token that is a run of characters. Lengths are those of the body, what follows the prefix. */
export interface RunShape {
  readonly kind: string;
  readonly prefixes: readonly string[];
  readonly charset: Charset;
  /** The characters that a token does not begin after; defaults to `charset`. */
  readonly before?: Charset;
  readonly min: number;
  /** No more of the body than this is judged. */
  readonly max: number;
  /** Whether a longer run is a token as well; otherwise it is none. */
  readonly longer: boolean;
  /** `whole`: the body is not longer than what is given. */
  check(body: string, whole: boolean): boolean;
}

/** By byte: 1 for a member. */
export type Charset = Uint8Array;

/** The set of some ASCII characters. */
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
 * A shape for a run. It begins where a run of its characters begins: `task-force` holds no `sk-`, and no byte is judged twice.
 * Full stops at the end belong to the sentence.
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

/** Ends in a character that does not belong to the text after it: escapes of JSON and URLs, and colours of terminals. */
const escapeSource = String.raw`(?:\\[nrtbf]|\\u00[0-9a-f]{2}|%[0-9a-f]{2}|(?:\p{Cc}|\\u001b|\\x1b|\\033)\[[0-9;]*m)`;
const escapeAtEnd = new RegExp(`${escapeSource}$`, "iu");
const anyEscape = new RegExp(escapeSource, "giu");
/** A character of each of those. */
const escapeCharacters = charset("\\%[");

function beginsRun(bytes: Uint8Array, start: number, set: Charset): boolean {
  if (start === 0 || set[bytes[start - 1] as number] === 0) return true;
  const from = Math.max(0, start - lookBehind);
  // Mostly it is the middle of a word, which must cost little.
  for (let at = start - 2; at >= from; at--) {
    const byte = bytes[at] as number;
    if (escapeCharacters[byte] === 1) return escapeAtEnd.test(latin1(bytes, from, start));
    if (byte === space) return false;
  }
  return false;
}

/** The text before a token, as much of it as a stream keeps, with a blank for each escape. */
export function textBefore(bytes: Uint8Array, start: number): string {
  return latin1(bytes, Math.max(0, start - lookBehind), start).replaceAll(anyEscape, " ");
}

/** Bytes as text, one character per byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.max(0, Math.min(end, bytes.length) - start)).toString("latin1");
}
