/**
 * Patterns of schemas, with ECMA-262 semantics (JSON Schema 2020-12, section 6.4). V8 may take exponential time for a pattern; from a number of
 * backtracks on it changes to an engine that is linear in the text. That engine knows no look-around, no back-references and no Unicode mode.
 */
import { setFlagsFromString } from "node:v8";

/** What a schema evaluator needs of a regular expression. */
export interface Pattern {
  test(text: string): boolean;
  /** Equal for equal patterns only: the evaluator shares compiled patterns by it. */
  toString(): string;
}

/** Surrogates as characters and as escapes, code point escapes, and property classes: constructs that mean something else without Unicode mode. */
const needsUnicodeMode = /[\ud800-\udfff]|\\u(?:\{|d[89a-f])|\\[pP]|\(\?[a-z-]*[:)]/i;
const surrogate = /[\ud800-\udfff]/;

let hasFallback = false;

/**
 * Patterns are Unicode patterns if they are valid as such; older ones, with escapes that Unicode mode forbids, still work. Throws a `SyntaxError` if a
 * pattern is neither.
 */
export function compilePattern(pattern: string): Pattern {
  enableFallback();
  let unicode: RegExp;
  try {
    unicode = new RegExp(pattern, "u");
  } catch {
    return new RegExp(pattern);
  }
  if (needsUnicodeMode.test(pattern.replaceAll("(?:", "("))) return unicode;
  // Without surrogates in pattern and text both modes match the same, and only this one can fall back.
  const plain = new RegExp(pattern);
  return { test: (text) => (surrogate.test(text) ? unicode : plain).test(text), toString: () => String(unicode) };
}

/**
 * A flag of the process. It must stay on: a pattern that was compiled with it gives wrong answers without it. It also invalidates V8's code cache, so it
 * is set only when a pattern is there.
 */
function enableFallback(): void {
  if (hasFallback) return;
  hasFallback = true;
  setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");
}
