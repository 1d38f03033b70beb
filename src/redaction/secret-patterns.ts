/**
 * Builds the byte patterns of a declared secret: its value, base64 at each of the three offsets, hex, UTF-16 and lists of numbers.
 * Patterns do not contain escapes, line breaks and colour codes: the matcher skips these. Pure.
 */

import { type Alphabet, specialBytes } from "./alphabets.ts";

/** Shorter values are not redacted: they occur in ordinary text. Characters. */
export const shortestSecret = 4;

/** In a value with several lines, each line of at least this length is also a secret. */
const shortestLine = 8;

/** Shorter patterns would match by accident. Bytes. */
const shortestPattern = 4;

/** Patterns of at least this length are found across line breaks and in nested encodings. Bytes. */
const shortestBroken = 8;

export interface SecretPattern {
  readonly bytes: Uint8Array;
  readonly alphabet: Alphabet;
  /** The alphabet's {@link specialBytes}. */
  readonly special: Uint8Array;
  /** Whether line breaks in a match are skipped. */
  readonly breaks: boolean;
}

/** All patterns of all values, without duplicates. */
export function secretPatterns(values: readonly string[]): SecretPattern[] {
  const patterns = new Map<string, SecretPattern>();
  const add = (bytes: Uint8Array, alphabet: Alphabet, shortest: number) => {
    if (bytes.length < shortest) return;
    const breaks = bytes.length >= shortestBroken && alphabet !== "binary";
    patterns.set(`${alphabet} ${Buffer.from(bytes).toString("latin1")}`, { bytes, alphabet, special: specialBytes[alphabet], breaks });
  };
  for (const value of values) {
    if (value.length < shortestSecret) continue;
    // A value read from a file often ends in a newline that output lacks.
    const trimmed = value.trim();
    addText(value, add);
    addEncodings(trimmed.length >= shortestSecret ? trimmed : value, add);
    if (trimmed.length >= shortestSecret) {
      addText(trimmed, add);
      addNested(trimmed, add);
    }
    const lines = value.split(/[\r\n]+/).map((line) => line.trim());
    for (const line of lines.length > 1 ? lines.filter((text) => text.length >= shortestLine) : []) {
      addText(line, add);
      addEncodings(line, add);
    }
  }
  return [...patterns.values()];
}

type Add = (bytes: Uint8Array, alphabet: Alphabet, shortest: number) => void;

function addText(value: string, add: Add): void {
  add(Buffer.from(value.replace(/\s+/g, " ").replace(/\\+/g, "\\")), "text", shortestPattern);
}

function addEncodings(value: string, add: Add): void {
  const bytes = Buffer.from(value);
  const json = Buffer.from(JSON.stringify(value).slice(1, -1));
  for (const encoded of json.equals(bytes) ? [bytes] : [bytes, json]) {
    for (const core of base64Cores(encoded)) add(Buffer.from(core), "base64", shortestPattern);
  }
  const hex = bytes.toString("hex");
  for (const digits of [hex, hex.toUpperCase()]) add(Buffer.from(digits), "hex", shortestPattern * 2);
}

/** Adds encodings for long values only: UTF-16, Latin-1, lists of numbers, base64 of UTF-16 and of base64. */
function addNested(value: string, add: Add): void {
  const bytes = Buffer.from(value);
  const little = Buffer.from(value, "utf16le");
  const big = Buffer.from(little).swap16();
  for (const wide of [little, big]) {
    add(wide, "binary", shortestBroken * 2);
    if (wide.length >= shortestBroken * 2) for (const core of base64Cores(wide)) add(Buffer.from(core), "base64", shortestBroken);
  }
  if (/[\u0080-\u00ff]/.test(value) && !/[\u0100-\uffff]/.test(value)) add(Buffer.from(value, "latin1"), "binary", shortestPattern);
  if (bytes.length < shortestBroken) return;
  add(Buffer.from(bytes.join(",")), "list", shortestBroken);
  for (const core of base64Cores(bytes)) {
    for (const twice of base64Cores(Buffer.from(core))) add(Buffer.from(twice), "base64", shortestBroken);
  }
}

/** For each offset of the bytes in the encoded data, and in both alphabets: the base64 characters that depend only on these bytes. */
function base64Cores(bytes: Buffer): string[] {
  const cores = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replaceAll("=", "");
    return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
  return [...new Set(cores.flatMap((core) => [core, core.replaceAll("+", "-").replaceAll("/", "_")]))];
}
