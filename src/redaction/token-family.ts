/**
 * Families of tokens whose bodies are random: a table row states prefixes, characters and length, and this turns it into a shape.
 * Pure.
 */
import { defined } from "../core/defined.ts";
import { type Charset, charset, dashedCharacters, dottedCharacters, runShape, type TokenShape, wordCharacters } from "./token-match.ts";

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** The characters that a token's run is made of. A longer run of them is another word. */
const charsets = {
  word: wordCharacters,
  dashed: dashedCharacters,
  dotted: dottedCharacters,
  base64: charset(`${alphanumeric}+/=`),
  anyBase64: charset(`${alphanumeric}+/_-=`),
  path: charset(`${alphanumeric}_-/`),
  escapedPath: charset(`${alphanumeric}_-/\\`),
} satisfies Record<string, Charset>;

/** A slash or `=` before a token, as in `KEY=token`, does not belong to it. */
const before: Partial<Record<keyof typeof charsets, Charset>> = {
  base64: wordCharacters,
  anyBase64: dashedCharacters,
  path: dashedCharacters,
  escapedPath: dashedCharacters,
};

export interface TokenFamily {
  /** What is shown in brackets. */
  readonly kind: string;
  readonly prefixes: readonly string[];
  /** Defaults to `word`: letters, digits and `_`. */
  readonly characters?: keyof typeof charsets;
  /** Of the part after the prefix. A single number: not longer, either. */
  readonly length: number | readonly [min: number, max: number];
  /** Matches the part after the prefix; defaults to {@link looksRandom}. */
  readonly body?: RegExp;
}

/** The shape of a family: prefix, characters and length fit, and the body matches, or looks random. */
export function familyShape({ kind, prefixes, characters = "word", length, body: wanted }: TokenFamily): TokenShape {
  const [min, max] = typeof length === "number" ? [length, length] : length;
  return runShape({
    kind,
    prefixes,
    charset: charsets[characters],
    ...defined({ before: before[characters] }),
    min,
    max,
    longer: typeof length !== "number",
    check: (body) => (wanted === undefined ? looksRandom(body) : wanted.test(body)) && !isPlaceholder(body),
  });
}

/** Words between dashes that documentation writes into a token's place. */
const placeholderWord = /(?:^|[-_])(?:your|my|example|sample|placeholder|redacted|dummy|fake|here|key|token|secret|x{3,})(?=[-_]|$)/i;
/** Longer bodies contain such words by chance. */
const longestPlaceholder = 120;

/** `ghp_xxxx…`, `sk-ant-api03-your-key-here`: more than half of it one character, or a word that says so. */
export function isPlaceholder(body: string): boolean {
  const counts = new Uint16Array(128);
  let most = 0;
  for (let at = 0; at < body.length; at++) {
    const code = body.charCodeAt(at);
    counts[code] = (counts[code] ?? 0) + 1;
    most = Math.max(most, counts[code] ?? 0);
  }
  return most > body.length / 2 || (body.length <= longestPlaceholder && placeholderWord.test(body));
}

/** Letters with digits, or both cases: names of one case with dashes or underscores have neither. */
export function looksRandom(body: string): boolean {
  return /[0-9]/.test(body) ? /[A-Za-z]/.test(body) : /[a-z]/.test(body) && /[A-Z]/.test(body);
}
