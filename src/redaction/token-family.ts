/**
 * Builds the shapes of tokens with random bodies from table rows of prefixes, characters and length. Pure.
 */
import { defined } from "../core/defined.ts";
import { type Charset, charset, dashedCharacters, dottedCharacters, runShape, type TokenShape, wordCharacters } from "./token-match.ts";

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** The characters of a token. A longer run of them is not a token. */
const charsets = {
  word: wordCharacters,
  dashed: dashedCharacters,
  dotted: dottedCharacters,
  base64: charset(`${alphanumeric}+/=`),
  anyBase64: charset(`${alphanumeric}+/_-=`),
  path: charset(`${alphanumeric}_-/`),
  escapedPath: charset(`${alphanumeric}_-/\\`),
} satisfies Record<string, Charset>;

/** A token may follow a slash or `=`, as in `KEY=token`, though its set contains them. */
const before: Partial<Record<keyof typeof charsets, Charset>> = {
  base64: wordCharacters,
  anyBase64: dashedCharacters,
  path: dashedCharacters,
  escapedPath: dashedCharacters,
};

export interface TokenFamily {
  /** The name shown in brackets. */
  readonly kind: string;
  readonly prefixes: readonly string[];
  /** Defaults to `word`: letters, digits and `_`. */
  readonly characters?: keyof typeof charsets;
  /** The length after the prefix. A single number is exact. With a range, longer tokens match too. */
  readonly length: number | readonly [min: number, max: number];
  /** Matches the part after the prefix; defaults to {@link looksRandom}. */
  readonly body?: RegExp;
}

/** The shape of a family: prefix, characters, length and body must match. */
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

/** Words between dashes that documentation uses in placeholders. */
const placeholderWord = /(?:^|[-_])(?:your|my|example|sample|placeholder|redacted|dummy|fake|here|key|token|secret|x{3,})(?=[-_]|$)/i;
/** Longer bodies contain placeholder words by chance. */
const longestPlaceholder = 120;

/** Whether more than half of a body is one character (`ghp_xxxx…`), or it has a placeholder word (`sk-ant-api03-your-key-here`). */
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

/** Whether a text has letters and digits, or both cases, unlike names in one case with dashes or underscores. */
export function looksRandom(body: string): boolean {
  return /[0-9]/.test(body) ? /[A-Za-z]/.test(body) : /[a-z]/.test(body) && /[A-Z]/.test(body);
}
