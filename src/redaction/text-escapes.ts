/**
 * Decodes one escape of the usual text encodings: backslash escapes of C, shells, JSON and other languages, percent-encoding, HTML
 * entities and quoted-printable. Nested escapes, such as `\\u0026` or `%2526`, are decoded in one step. Pure.
 */
import { ampersand, backslash, equalsSign, percent } from "./alphabets.ts";
import { namedEntities } from "./named-entities.ts";

/** One reading of an escape: the decoded bytes, and the offset after it. */
export interface Escape {
  readonly bytes: readonly number[];
  readonly end: number;
}

/** `more`: the input ends within a possible escape. */
export type Escapes = readonly Escape[] | "more";

/** The longest run of backslashes, of `25` or of `amp;` that is read as one escape: enough for five levels. */
const longestNesting = 32;
const longestEntityName = 12;
/** Longer control sequences are not skipped; those of terminals are shorter. */
const longestSequence = 40;

const none: Escapes = [];

const hexValues = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value++) {
  hexValues[value.toString(16).charCodeAt(0)] = value;
  hexValues[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** Letters that stand for a control character after a backslash, as in C, with `e` for ESC. */
const controls = new Map(
  Object.entries({ n: 10, r: 13, t: 9, b: 8, f: 12, v: 11, a: 7, e: 27 }).map(([letter, code]) => [letter.charCodeAt(0), code] as const),
);

/**
 * The readings of the escape at `at`, which is a backslash, `%`, `&` or `=`. Empty if there is no escape. `last`: no input follows
 * `bytes`.
 */
export function readEscapes(bytes: Uint8Array, at: number, last: boolean): Escapes {
  switch (bytes[at]) {
    case backslash:
      return readBackslash(bytes, at, last);
    case percent:
      return readPercent(bytes, at, last);
    case ampersand:
      return readEntity(bytes, at + 1, last);
    case equalsSign:
      return readByte(bytes, at + 1, last);
    default:
      return none;
  }
}

/** The value of two hex digits. */
export function hexAt(bytes: Uint8Array, at: number): number {
  return (hexValues[bytes[at] as number] as number) * 16 + (hexValues[bytes[at + 1] as number] as number);
}

/** The offset after a run of backslashes that begins at `at`. */
export function endOfBackslashes(bytes: Uint8Array, at: number): number {
  const limit = Math.min(bytes.length, at + longestNesting);
  let end = at;
  while (end < limit && bytes[end] === backslash) end++;
  return end;
}

/**
 * The offset after a control sequence (ECMA-48 CSI, used for colours) whose ESC is before `at`; undefined if there is none.
 */
export function endOfSequence(bytes: Uint8Array, at: number, last: boolean): number | "more" | undefined {
  if (at >= bytes.length) return last ? undefined : "more";
  if (bytes[at] !== 0x5b) return undefined;
  const limit = at + longestSequence;
  for (let end = at + 1; end < limit; end++) {
    if (end >= bytes.length) return last ? undefined : "more";
    const byte = bytes[end] as number;
    if (byte >= 0x40 && byte <= 0x7e) return end + 1;
    if (byte < 0x20 || byte > 0x3f) return undefined;
  }
  return undefined;
}

function readBackslash(bytes: Uint8Array, at: number, last: boolean): Escapes {
  const letter = endOfBackslashes(bytes, at);
  if (letter >= bytes.length) return last ? none : "more";
  const byte = bytes[letter] as number;
  const control = controls.get(byte);
  if (control !== undefined) return [{ bytes: [control], end: letter + 1 }];
  if (byte >= 0x30 && byte <= 0x37) return readOctal(bytes, letter, last);
  if (byte === 0x78) return readByteOrCharacter(bytes, letter + 1, last);
  if (byte === 0x75) return readUnicode(bytes, letter + 1, last);
  if (byte === 0x55) return characterOf(readHex(bytes, letter + 1, 8, last), letter + 9);
  return none;
}

/** `\NNN` of C and shells, and `\0NNN` of `echo -e`. */
function readOctal(bytes: Uint8Array, at: number, last: boolean): Escapes {
  let value = 0;
  let end = at;
  const limit = at + (bytes[at] === 0x30 ? 4 : 3);
  const escapes: Escape[] = [];
  for (; end < limit; end++) {
    if (end >= bytes.length && !last) return "more";
    const digit = (bytes[end] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
    if (end - at >= 2 || bytes[at] === 0x30) escapes.push({ bytes: [value & 0xff], end: end + 1 });
  }
  return escapes.length > 0 ? escapes.reverse() : [{ bytes: [value & 0xff], end }];
}

/** `\xNN`: a byte in C and Go, a character in JavaScript and Python. */
function readByteOrCharacter(bytes: Uint8Array, at: number, last: boolean): Escapes {
  const value = readHex(bytes, at, 2, last);
  if (value === "more") return "more";
  if (value === undefined) return none;
  return value < 0x80
    ? [{ bytes: [value], end: at + 2 }]
    : [
        { bytes: [value], end: at + 2 },
        { bytes: utf8(value), end: at + 2 },
      ];
}

/** Reads the part after `\u`: four digits, a surrogate pair, or digits in braces. An `&` can begin an escaped entity. */
function readUnicode(bytes: Uint8Array, at: number, last: boolean): Escapes {
  if (bytes[at] === 0x7b) return readBraces(bytes, at + 1, last);
  const unit = readHex(bytes, at, 4, last);
  if (unit === "more") return "more";
  if (unit === undefined) return none;
  const end = at + 4;
  if (unit === ampersand) {
    const entity = readEntity(bytes, end, last);
    return entity === "more" ? "more" : [...entity, { bytes: [unit], end }];
  }
  if (unit < 0xd800 || unit > 0xdbff) return [{ bytes: utf8(unit), end }];
  const letter = endOfBackslashes(bytes, end);
  if (letter >= bytes.length) return last ? none : "more";
  if (letter === end || bytes[letter] !== 0x75) return none;
  const low = readHex(bytes, letter + 1, 4, last);
  if (low === "more") return "more";
  if (low === undefined || low < 0xdc00 || low > 0xdfff) return none;
  return [{ bytes: utf8(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)), end: letter + 5 }];
}

function readBraces(bytes: Uint8Array, at: number, last: boolean): Escapes {
  let value = 0;
  for (let end = at; end < at + 7; end++) {
    if (end >= bytes.length) return last ? none : "more";
    if (bytes[end] === 0x7d) return end > at ? characterOf(value, end + 1) : none;
    const digit = hexValues[bytes[end] as number] as number;
    if (digit < 0) return none;
    value = value * 16 + digit;
  }
  return none;
}

/** `%NN`, and `%25NN` if encoded twice. `%25` can also be a percent sign before two digits. */
function readPercent(bytes: Uint8Array, at: number, last: boolean): Escapes {
  const escapes: Escape[] = [];
  const limit = at + longestNesting;
  for (let digits = at + 1; digits < limit; digits += 2) {
    const value = readHex(bytes, digits, 2, last);
    if (value === "more") return "more";
    if (value === undefined) break;
    escapes.unshift({ bytes: [value], end: digits + 2 });
    if (value !== percent) break;
  }
  return escapes;
}

/** Reads the part after `&`: the number or name of a character and `;`, possibly after `amp;`. */
function readEntity(bytes: Uint8Array, at: number, last: boolean): Escapes {
  const limit = at + longestNesting;
  const ampersands: Escape[] = [];
  let from = at;
  while (from < limit && startsWith(bytes, from, "amp;")) {
    from += 4;
    ampersands.unshift({ bytes: [ampersand], end: from });
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(longestEntityName + 2, Math.max(0, bytes.length - from)));
  const escapes = entityIn(text.toString("latin1"), from, last || text.length > longestEntityName);
  return escapes === "more" ? "more" : [...escapes, ...ampersands];
}

function entityIn(text: string, from: number, whole: boolean): Escapes {
  const end = text.indexOf(";");
  if (end < 0) return !whole && /^(?:#(?:[0-9]*|[xX][0-9a-fA-F]*)|[a-zA-Z][a-zA-Z0-9]*|)$/.test(text) ? "more" : none;
  const name = text.slice(0, end);
  const digits = /^#(?:([0-9]+)|[xX]([0-9a-fA-F]+))$/.exec(name);
  const code =
    digits === null ? namedEntities.get(name) : digits[1] === undefined ? Number.parseInt(digits[2] ?? "", 16) : Number(digits[1]);
  return characterOf(code, from + end + 1);
}

function readByte(bytes: Uint8Array, at: number, last: boolean): Escapes {
  const value = readHex(bytes, at, 2, last);
  return value === "more" ? "more" : value === undefined ? none : [{ bytes: [value], end: at + 2 }];
}

function characterOf(code: number | "more" | undefined, end: number): Escapes {
  if (code === "more") return "more";
  return code === undefined || code > 0x10ffff ? none : [{ bytes: utf8(code), end }];
}

function readHex(bytes: Uint8Array, at: number, count: number, last: boolean): number | "more" | undefined {
  let value = 0;
  for (let end = at; end < at + count; end++) {
    if (end >= bytes.length) return last ? undefined : "more";
    const digit = hexValues[bytes[end] as number] as number;
    if (digit < 0) return undefined;
    value = value * 16 + digit;
  }
  return value;
}

function utf8(code: number): readonly number[] {
  return code < 0x80 ? [code] : [...Buffer.from(String.fromCodePoint(code))];
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
}
