/** The bytes of escapes, line breaks and separators, and the special bytes of each kind of pattern. Pure data. */

export const backslash = 0x5c;
export const percent = 0x25;
export const ampersand = 0x26;
export const equalsSign = 0x3d;
export const escapeCharacter = 0x1b;
export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
/** In a `text` pattern: a run of white space. */
export const blank = 0x20;
export const tab = 0x09;
export const plus = 0x2b;
export const comma = 0x2c;
export const singleQuote = 0x27;
export const doubleQuote = 0x22;

/** Bytes that begin an escape. */
export const escapes: readonly number[] = [backslash, percent, ampersand, equalsSign];
export const whitespace: readonly number[] = [blank, tab, lineFeed, carriageReturn];

/**
 * The kind of characters in a pattern, which decides what the matcher skips: separators in `hex`, blanks after commas in `list`. In
 * `text`, any run of white space matches any other, and so do runs of backslashes. `binary` is matched exactly.
 */
export type Alphabet = "text" | "base64" | "hex" | "list" | "binary";

/** By alphabet and byte: 1 for a byte that can stand for another one. */
export const specialBytes: Readonly<Record<Alphabet, Uint8Array>> = {
  text: setOf([...escapes, escapeCharacter, ...whitespace, plus, singleQuote, doubleQuote]),
  base64: setOf([...escapes, escapeCharacter, lineFeed, carriageReturn]),
  hex: setOf([...escapes, escapeCharacter, ...whitespace, comma, ...Buffer.from(":;-")]),
  list: setOf([...escapes, escapeCharacter, ...whitespace]),
  binary: setOf([...escapes, escapeCharacter]),
};

/** A set of bytes: 1 for a member. */
export function setOf(members: readonly number[]): Uint8Array {
  const set = new Uint8Array(256);
  for (const member of members) set[member] = 1;
  return set;
}
